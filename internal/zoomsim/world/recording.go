package world

import (
	"net/http"
	"strings"
	"time"
	"zflow/internal/zoomsim/rest"
)

func (w *World) getRecordings(c *rest.Call) rest.Answer {
	m, o := w.pastOf(c)
	switch {
	case o == nil && w.find(c.ID) == nil:
		return NoMeeting(c.ID)
	case o == nil, !o.recorded(c.Now):
		return rest.Error(http.StatusNotFound, 3301, "There is no recording for this meeting.")
	}
	v := recordingView(m, o)
	if strings.Contains(c.Query.Get("include_fields"), "download_access_token") {
		v["download_access_token"] = "simdownload." + rest.Random(32)
	}
	return rest.Answer{Status: http.StatusOK, Body: v}
}

// recordingView is a past meeting with its recording files.
func recordingView(m *meeting, o *occurrence) map[string]any {
	v := m.subject()
	v["uuid"] = o.uuid
	v["start_time"] = o.started.UTC().Format(time.RFC3339)
	v["duration"] = int(o.ended.Sub(o.started).Minutes())
	v["share_url"] = site + "/rec/share/" + o.slug()
	v["password"] = "Pw" + o.slug()[:4]
	files := []any{
		o.file("video", "MP4", "MP4", "shared_screen_with_speaker_view", 30_418_772),
		o.file("audio", "M4A", "M4A", "audio_only", 4_105_530),
	}
	v["recording_files"] = files
	v["recording_count"] = len(files)
	v["total_size"] = 30_418_772 + 4_105_530
	return v
}

func (o *occurrence) file(name, kind, extension, recording string, size int) map[string]any {
	return map[string]any{
		"id": o.slug() + "-" + name, "meeting_id": o.uuid, "file_type": kind, "file_extension": extension,
		"recording_type": recording, "file_size": size, "status": "completed",
		"recording_start": o.started.UTC().Format(time.RFC3339), "recording_end": o.ended.UTC().Format(time.RFC3339),
		"play_url":     site + "/rec/play/" + o.slug() + "-" + name,
		"download_url": site + "/rec/download/" + o.slug() + "-" + name,
	}
}

// slug is the occurrence's id as a word for URLs.
func (o *occurrence) slug() string {
	return strings.NewReplacer("/", "_", "+", "-", "=", "").Replace(o.uuid)
}

// recorded tells whether the recording can be read.
func (o *occurrence) recorded(now time.Time) bool {
	return !o.trashed && !o.recordedAt.IsZero() && !now.Before(o.recordedAt)
}

func (w *World) listRecordings(c *rest.Call) rest.Answer {
	host, refused := w.user(c)
	if refused != nil {
		return *refused
	}
	return w.recordings(c, func(m *meeting) bool { return m.host == host })
}

func (w *World) listAccountRecordings(c *rest.Call) rest.Answer {
	if c.ID != "me" && c.ID != c.By.Account {
		return rest.Error(http.StatusNotFound, 2001, "Account does not exist: %s.", c.ID)
	}
	return w.recordings(c, func(*meeting) bool { return true })
}

// recordings lists those of a month whose meetings f takes, the latest first.
func (w *World) recordings(c *rest.Call, f func(*meeting) bool) rest.Answer {
	from, to, refused := rest.Month(c)
	if refused != nil {
		return *refused
	}
	found := []any{}
	for _, p := range w.allPast(f) {
		if p.recorded(c.Now) && !p.started.Before(from) && !p.started.After(to) {
			v := recordingView(p.of, p.occurrence)
			v["account_id"] = c.By.Account
			found = append(found, v)
		}
	}
	a := w.o.Pages.Answer(c, "meetings", found)
	if body, ok := a.Body.(map[string]any); ok {
		body["from"], body["to"] = from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly)
	}
	return a
}
