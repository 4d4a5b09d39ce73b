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
	case o == nil, o.recordedAt.IsZero(), c.Now.Before(o.recordedAt):
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
