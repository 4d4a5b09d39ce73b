package zoom

import (
	"zflow/actions"
)

// table has all operations; what it says beside zoomcatalog is what a step sees.
func table() []operation {
	return append([]operation{
		createMeeting(), getMeeting(), updateMeeting(), deleteMeeting(), listMeetings(),
		addRegistrant(), listParticipants(), listPanelists(), getRecordings(), sendChatMessage(),
	}, reading()...)
}

func createMeeting() operation {
	return operation{
		name:   "create_meeting",
		params: []string{"user_id"},
		input:  with(meetingInput(), "user_id", userInput()),
		output: meetingOutput(),
		effect: actions.Write,
		errors: known(noUser(), badInput()),
		secret: meetingSecrets(),
		known:  []string{"id"},
		probe:  probeMeeting,
		examples: []actions.Example{
			{
				Title: "Schedule a follow-up",
				Input: map[string]any{
					"user_id": "noor.haddad@harbor.example", "topic": "Follow-up: Algebra", "type": int64(2),
					"start_time": "2026-03-09T10:00:00Z", "duration": int64(30),
					"settings": map[string]any{"waiting_room": true},
				},
			},
			{
				Title: "Every Monday, with registration",
				Input: map[string]any{
					"user_id": "noor.haddad@harbor.example", "topic": "Office hours", "type": int64(8),
					"start_time": "2026-03-09T16:00:00", "timezone": "Europe/Berlin", "duration": int64(60),
					"recurrence": map[string]any{"type": int64(2), "weekly_days": "2", "end_times": int64(10)},
					"settings":   map[string]any{"approval_type": int64(0)},
				},
			},
		},
	}
}

func getMeeting() operation {
	return operation{
		name:   "get_meeting",
		params: []string{"meeting_id"},
		query:  []string{"occurrence_id", "show_previous_occurrences"},
		input: map[string]actions.Schema{
			"meeting_id":                idInput(),
			"occurrence_id":             {Type: "string", Doc: "One occurrence of a recurring meeting."},
			"show_previous_occurrences": {Type: "boolean", Doc: "List past occurrences of a recurring meeting too."},
		},
		required: []string{"meeting_id"},
		output:   meetingOutput(),
		effect:   actions.Read,
		errors:   known(noMeeting()),
		secret:   meetingSecrets(),
		known:    []string{"id", "uuid"},
		examples: []actions.Example{{Title: "Read a meeting", Input: map[string]any{"meeting_id": int64(91000000001)}}},
	}
}

func updateMeeting() operation {
	return operation{
		name:   "update_meeting",
		params: []string{"meeting_id"},
		query:  []string{"occurrence_id"},
		input: with(meetingInput(),
			"meeting_id", idInput(),
			"occurrence_id", actions.Schema{Type: "string", Doc: "Change one occurrence of a recurring meeting only."}),
		required: []string{"meeting_id"},
		output:   doneOutput("The meeting that was changed."),
		effect:   actions.Idempotent,
		errors:   known(noMeeting(), badInput()),
		examples: []actions.Example{{
			Title:  "Make it longer",
			Input:  map[string]any{"meeting_id": int64(91000000001), "duration": int64(90)},
			Output: map[string]any{"meeting_id": "91000000001"},
		}},
	}
}

func deleteMeeting() operation {
	return operation{
		name:   "delete_meeting",
		params: []string{"meeting_id"},
		query:  []string{"occurrence_id", "schedule_for_reminder", "cancel_meeting_reminder"},
		input: map[string]actions.Schema{
			"meeting_id":              idInput(),
			"occurrence_id":           {Type: "string", Doc: "Delete one occurrence of a recurring meeting only."},
			"schedule_for_reminder":   {Type: "boolean", Doc: "Tell the host, and who scheduled it for the host, by mail."},
			"cancel_meeting_reminder": {Type: "boolean", Doc: "Tell the registrants by mail."},
		},
		required: []string{"meeting_id"},
		output:   doneOutput("The meeting that was deleted."),
		effect:   actions.Idempotent,
		errors:   known(noMeeting(), actions.Known{If: "error.code == 3002", Doc: "The meeting is in progress.", Again: true}),
		examples: []actions.Example{{
			Title:  "Cancel a meeting and tell the registrants",
			Input:  map[string]any{"meeting_id": int64(91000000001), "cancel_meeting_reminder": true},
			Output: map[string]any{"meeting_id": "91000000001"},
		}},
	}
}

func listMeetings() operation {
	return operation{
		name:   "list_meetings",
		params: []string{"user_id"},
		query:  []string{"type", "from", "to", "timezone"},
		input: map[string]actions.Schema{
			"user_id":  userInput(),
			"type":     {Type: "string", Doc: "Which meetings.", Default: "scheduled", Enum: []string{"scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"}},
			"from":     {Type: "string", Doc: "The first day, such as 2026-03-01."},
			"to":       {Type: "string", Doc: "The last day, such as 2026-03-31."},
			"timezone": {Type: "string", Doc: "The zone of from and to, such as Europe/Berlin."},
			"limit":    limitInput(),
		},
		output: listOutput("meetings", "The meetings, without their settings and start_url.", map[string]actions.Schema{
			"id":         {Type: "integer", Doc: "The meeting's number."},
			"uuid":       {Type: "string", Doc: "The id of this instance."},
			"topic":      {Type: "string", Doc: "What it is about."},
			"type":       {Type: "integer", Doc: "1 instant, 2 scheduled, 3 recurring without a fixed time, 8 recurring."},
			"start_time": {Type: "string", Doc: "When it starts, in UTC.", Format: "date-time"},
			"duration":   {Type: "integer", Doc: "In minutes."},
			"created_at": {Type: "string", Doc: "When it was created.", Format: "date-time"},
			"join_url":   {Type: "string", Doc: "Where to join."},
			"host_id":    {Type: "string", Doc: "The host's user id."},
		}),
		effect: actions.Read,
		errors: known(noUser()),
		known:  pageFields("meetings"),
		list:   "meetings",
		examples: []actions.Example{{
			Title: "What is coming up",
			Input: map[string]any{"user_id": "noor.haddad@harbor.example", "type": "upcoming", "limit": int64(50)},
		}},
	}
}

func addRegistrant() operation {
	return operation{
		name:     "add_meeting_registrant",
		params:   []string{"meeting_id"},
		query:    []string{"occurrence_ids"},
		input:    registrantInput(),
		required: []string{"meeting_id", "email", "first_name"},
		output:   registrantOutput(),
		effect:   actions.Write,
		errors:   known(noMeeting(), actions.Known{If: "error.code == 300", Doc: "The meeting takes no registration, or Zoom refuses an input."}),
		secret:   []string{"join_url"},
		known:    []string{"registrant_id", "id"},
		probe:    probeRegistrant,
		examples: []actions.Example{{
			Title: "Register somebody",
			Input: map[string]any{
				"meeting_id": int64(91000000001), "email": "ann@guest.example",
				"first_name": "Ann", "last_name": "Berg",
			},
		}},
	}
}

func listParticipants() operation {
	return operation{
		name:     "list_past_meeting_participants",
		params:   []string{"meeting_id"},
		input:    map[string]actions.Schema{"meeting_id": uuidInput(), "limit": limitInput()},
		required: []string{"meeting_id"},
		output: listOutput("participants", "Who was there; a person who left and came again is there twice.", map[string]actions.Schema{
			"id":            {Type: "string", Doc: "The user id; empty for guests."},
			"user_id":       {Type: "string", Doc: "The id within this meeting; another one after each return."},
			"name":          {Type: "string", Doc: "The name shown."},
			"user_email":    {Type: "string", Doc: "The address; empty for guests."},
			"registrant_id": {Type: "string", Doc: "The registrant; empty without registration."},
			"join_time":     {Type: "string", Doc: "When the person came.", Format: "date-time"},
			"leave_time":    {Type: "string", Doc: "When the person left.", Format: "date-time"},
			"duration":      {Type: "integer", Doc: "In seconds."},
			"status":        {Type: "string", Doc: "in_meeting or in_waiting_room."},
		}),
		effect: actions.Read,
		errors: known(actions.Known{If: "error.code == 3001", Doc: "The list is not written yet, which takes Zoom some minutes after the end; or there is no such meeting.", Again: true}),
		known:  pageFields("participants"),
		list:   "participants",
		examples: []actions.Example{{
			Title: "Who was there",
			Input: map[string]any{"meeting_id": "c2FtcGxlTWVldGluZ1VVSQ=="},
		}},
	}
}

func listPanelists() operation {
	return operation{
		name:     "list_webinar_panelists",
		params:   []string{"webinar_id"},
		input:    map[string]actions.Schema{"webinar_id": {Doc: "The webinar's number, as a number or text."}},
		required: []string{"webinar_id"},
		output: actions.Schema{
			Type: "object", Open: true,
			Fields: map[string]actions.Schema{
				"total_records": {Type: "integer", Doc: "How many there are."},
				"panelists": {
					Type: "array", Doc: "The panelists, all at once.",
					Items: &actions.Schema{Type: "object", Doc: "A panelist.", Open: true, Fields: map[string]actions.Schema{
						"id":            {Type: "string", Doc: "The panelist's id."},
						"name":          {Type: "string", Doc: "The name shown."},
						"email":         {Type: "string", Doc: "The address."},
						"join_url":      {Type: "string", Doc: "The panelist's own link, sealed."},
						"name_tag_name": {Type: "string", Doc: "The name on the name tag, if there is one."},
					}},
				},
			},
		},
		effect: actions.Read,
		errors: known(actions.Known{If: "error.code == 3001", Doc: "There is no such webinar: it was deleted, or has ended."}),
		secret: []string{"panelists[].join_url"},
		known:  []string{"panelists", "total_records"},
		examples: []actions.Example{{
			Title: "Who is on the panel",
			Input: map[string]any{"webinar_id": int64(91000000042)},
		}},
	}
}

func getRecordings() operation {
	return operation{
		name:   "get_meeting_recordings",
		params: []string{"meeting_id"},
		query:  []string{"include_fields", "ttl"},
		input: map[string]actions.Schema{
			"meeting_id":     uuidInput(),
			"include_fields": {Type: "string", Doc: "download_access_token, to get one."},
			"ttl":            {Type: "integer", Doc: "How long that token lives, in seconds.", Min: number(0), Max: number(604_800)},
		},
		required: []string{"meeting_id"},
		output:   recordingsOutput(),
		effect:   actions.Read,
		errors:   known(actions.Known{If: "error.code == 3301", Doc: "There is no recording, or not yet.", Again: true}),
		secret:   []string{"download_access_token"},
		known:    []string{"recording_files", "uuid", "id"},
		examples: []actions.Example{{
			Title: "Where the recording is",
			Input: map[string]any{"meeting_id": "c2FtcGxlTWVldGluZ1VVSQ=="},
		}},
	}
}

func sendChatMessage() operation {
	return operation{
		name:   "send_chat_message",
		params: []string{"user_id"},
		input: map[string]actions.Schema{
			"user_id":               userInput(),
			"message":               {Type: "string", Doc: "What to say."},
			"to_channel":            {Type: "string", Doc: "The id of the channel to post to."},
			"to_contact":            {Type: "string", Doc: "The address or id of the person to write to."},
			"reply_main_message_id": {Type: "string", Doc: "The message to reply to."},
			"rich_text":             {Type: "array", Doc: "Formats of parts of the message, as Zoom defines them."},
			"at_items":              {Type: "array", Doc: "Mentions within the message, as Zoom defines them."},
			"file_ids":              {Type: "array", Doc: "Files that were uploaded before, at most 6."},
			"interactive_cards":     {Type: "array", Doc: "Cards to show, as Zoom defines them."},
			"scheduled_time":        {Type: "string", Doc: "When to send it.", Format: "date-time"},
		},
		required: []string{"message"},
		output: actions.Schema{
			Type: "object", Open: true,
			Fields: map[string]actions.Schema{"id": {Type: "string", Doc: "The message's id."}},
		},
		effect: actions.Write,
		errors: known(noUser(), badInput()),
		known:  []string{"id"},
		check:  addressed,
		examples: []actions.Example{{
			Title: "Post to a channel",
			Input: map[string]any{
				"user_id": "noor.haddad@harbor.example", "to_channel": "c0ffee5a1b", "message": "The recording is ready.",
			},
		}},
	}
}

// addressed tells whether a message has one place to go.
func addressed(input map[string]any) error {
	channel, _ := text(input["to_channel"])
	contact, _ := text(input["to_contact"])
	switch {
	case channel == "" && contact == "":
		return actions.Final("to_channel or to_contact is missing")
	case channel != "" && contact != "":
		return actions.Final("to_channel and to_contact are both given: a message goes to one of them")
	}
	return nil
}
