package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zflow/proto"
)

// identity is what makes an event of one type this event, as paths below payload.
// Of each group of which at least one value must be there, as without it the paths
// would not tell two events apart.
type identity struct {
	object []string // one of: what the event is about
	part   []string // one of: which part of it; none where the object is enough
	more   []string // what else tells two of them apart
}

var (
	// What a meeting, webinar or session is known by.
	meetingIDs = []string{"object.uuid", "object.id", "object.session_id"}
	// A user_id is unique within one session; the others are not given to guests.
	participantIDs = []string{"object.participant.user_id", "object.participant.participant_uuid", "object.participant.id"}
	sessionUserIDs = []string{"object.user.id", "object.user.participant_uuid"}
	registrantIDs  = []string{"object.registrant.id", "object.registrant.email"}
	fileIDs        = []string{"object.recording_files[].id", "object.participant_audio_files[].id",
		"object.participant_video_files[].id", "object.archive_files[].id"}
)

// identityOf returns what identifies events of a type. Of types that are not
// listed, and of those whose fields do not tell two events apart (an alert's
// issues, a change's values), everything that is not volatile identifies them.
func identityOf(kind string) (identity, bool) {
	family, name, _ := strings.Cut(kind, ".")
	switch family {
	case "meeting", "webinar", "session":
		return ofMeeting(name)
	case "recording":
		return ofRecording(name)
	case "user":
		return ofUser(name)
	case "phone":
		return ofPhone(name)
	case "team_chat":
		return ofTeamChat(name)
	}
	return identity{}, false
}

func ofMeeting(name string) (identity, bool) {
	switch name {
	case "started", "ended":
		return identity{object: meetingIDs, more: []string{"object.start_time", "object.end_time"}}, true
	case "created", "deleted", "permanently_deleted", "recovered":
		return identity{object: meetingIDs, more: []string{"operation", "object.start_time",
			"object.occurrences[].occurrence_id", "object.recurrence_event_id"}}, true
	case "participant_joined", "participant_left", "participant_joined_waiting_room",
		"participant_left_waiting_room", "participant_admitted", "participant_put_in_waiting_room",
		"participant_joined_breakout_room", "participant_left_breakout_room", "participant_role_changed":
		return identity{object: meetingIDs, part: participantIDs, more: []string{"object.breakout_room_uuid",
			"object.participant.participant_user_id", "object.participant.registrant_id",
			"object.participant.join_time", "object.participant.leave_time", "object.participant.date_time",
			"object.participant.old_role", "object.participant.new_role"}}, true
	case "user_joined", "user_left":
		return identity{object: meetingIDs, part: sessionUserIDs, more: []string{"object.user.user_key",
			"object.user.join_time", "object.user.leave_time"}}, true
	case "registration_created", "registration_approved", "registration_cancelled", "registration_denied":
		return ofRegistrant(), true
	case "chat_message_sent":
		return identity{object: meetingIDs, part: []string{"object.chat_message.message_id"},
			more: []string{"object.breakout_room_uuid", "object.chat_message.recipient_session_id"}}, true
	case "summary_completed", "summary_updated", "summary_recovered", "summary_trashed", "summary_deleted":
		return identity{object: []string{"object.meeting_uuid", "object.meeting_id"}, more: []string{"object.summary_start_time",
			"object.summary_created_time", "object.summary_last_modified_time"}}, true
	}
	if file, ok := strings.CutPrefix(name, "recording_"); ok {
		return ofRecording(file)
	}
	return identity{}, false
}

func ofRegistrant() identity {
	return identity{object: meetingIDs, part: registrantIDs, more: []string{"operation", "object.occurrences[].occurrence_id"}}
}

func ofRecording(name string) (identity, bool) {
	switch name {
	case "completed", "transcript_completed", "archive_files_completed":
		return identity{object: meetingIDs, part: fileIDs, more: []string{"object.recording_files[].file_type",
			"object.recording_files[].recording_start"}}, true
	case "recovered", "trashed", "deleted":
		return identity{object: meetingIDs, more: append([]string{"operation", "object.recording_files[].file_type",
			"object.recording_files[].recording_start"}, fileIDs...)}, true
	case "started", "stopped", "paused", "resumed":
		return identity{object: meetingIDs, more: []string{"object.recording_file.recording_start",
			"object.recording_file.recording_end"}}, true
	case "registration_created", "registration_approved", "registration_denied":
		return ofRegistrant(), true
	}
	return identity{}, false
}

func ofUser(name string) (identity, bool) {
	switch name {
	case "created", "activated", "deactivated", "deleted", "disassociated", "invitation_accepted":
		return identity{object: []string{"object.id"}, more: []string{"creation_type", "object.email"}}, true
	case "signed_in", "signed_out":
		return identity{object: []string{"object.id"}, more: []string{"object.date_time", "object.client_type",
			"object.version", "object.login_type"}}, true
	}
	return identity{}, false
}

func ofPhone(name string) (identity, bool) {
	switch name {
	case "sms_received", "sms_sent":
		return identity{object: []string{"object.message_id"}, more: []string{"object.session_id", "object.owner.id"}}, true
	case "voicemail_received", "voicemail_transcript_completed":
		return identity{object: []string{"object.id"}, more: []string{"object.callee_id", "object.date_time"}}, true
	case "recording_completed", "recording_transcript_completed":
		return identity{object: []string{"object.recordings[].id"}, more: []string{"object.recordings[].call_id"}}, true
	case "callee_ringing", "callee_answered", "callee_missed", "callee_rejected", "callee_ended",
		"caller_ringing", "caller_connected", "caller_ended":
		// One call rings at many phones at once.
		return identity{object: []string{"object.call_id"}, more: []string{
			"object.callee.user_id", "object.callee.extension_id", "object.callee.extension_number",
			"object.callee.phone_number", "object.callee.device_id", "object.caller.user_id",
			"object.caller.extension_id", "object.caller.extension_number", "object.caller.phone_number",
			"object.caller.device_id", "object.forwarded_by.extension_number", "object.ringing_start_time",
			"object.answer_start_time", "object.call_end_time", "object.handup_result"}}, true
	}
	return identity{}, false
}

func ofTeamChat(name string) (identity, bool) {
	switch name {
	case "channel_message_posted", "dm_message_posted":
		return identity{object: []string{"object.message_id"}, more: []string{"operator_id", "object.session_id",
			"object.channel_id", "object.timestamp"}}, true
	}
	return identity{}, false
}

// eventID derives the event's id from its business key.
func ID(app string, e *Envelope) string {
	if key, ok := businessKey(e); ok {
		return proto.EventID(app, e.Type, key...)
	}
	return proto.EventID(app, e.Type, "digest", digest(e.body))
}

func businessKey(e *Envelope) ([]string, bool) {
	id, known := identityOf(e.Type)
	if !known || e.At.IsZero() {
		return nil, false
	}
	key := []string{"ts=" + strconv.FormatInt(e.At.UnixMilli(), 10), "account=" + e.Account}
	for _, group := range [][]string{id.object, id.part} {
		before := len(key)
		key = appendKey(key, e.payload, group)
		if len(group) > 0 && len(key) == before {
			return nil, false
		}
	}
	return appendKey(key, e.payload, id.more), true
}

func appendKey(key []string, payload map[string]any, paths []string) []string {
	for _, p := range paths {
		values := lookUp(payload, p)
		slices.Sort(values) // deliveries list files in any order
		for _, v := range values {
			key = append(key, p+"="+v)
		}
	}
	return key
}

// digest is the hash of a body without what differs between two deliveries of one
// event: order, spelling of numbers, tokens and download addresses.
func digest(body map[string]any) string {
	tree := stableObject(body)
	delete(tree, "event") // it is the event's type, which is cleaned
	text, err := json.Marshal(tree)
	if err != nil { // a tree that came from JSON always goes back; its print tells it apart too
		text = fmt.Append(nil, tree)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func stable(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = stable(v[i])
		}
		return list
	case map[string]any:
		return stableObject(v)
	}
	return value
}

func stableObject(object map[string]any) map[string]any {
	m := make(map[string]any, len(object))
	for name, value := range object {
		if !volatile(name) {
			m[name] = stable(value)
		}
	}
	return m
}

func volatile(name string) bool {
	switch name {
	case "download_token", "download_access_token", "callback_token", "play_url":
		return true
	}
	return strings.HasSuffix(name, "download_url")
}
