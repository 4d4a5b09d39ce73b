package world

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
	"time"

	"zflow/internal/zoomsim/rest"
)

// site is where the simulated account's links lead.
const site = "https://harbor.zoom.example"

// Options say how a World behaves.
type Options struct {
	ReportDelay    time.Duration // from a meeting's end to its list of participants
	RecordingDelay time.Duration // from recording.completed to the REST answer
	Users          []string      // ids and mail addresses; none: whoever is named exists
	NoMe           bool          // a server-to-server app may not say me
	Imagine        bool          // a past meeting that it never heard of is made up
	Limits         *rest.Limits
	Pages          *rest.Pages
}

// World is what exists in the simulated accounts.
type World struct {
	o        Options
	mu       sync.Mutex // guards all below
	meetings map[int64]*meeting
	byUUID   map[string]*meeting // every occurrence, past ones too
	order    []int64             // as they were created
	users    []*user             // as they came
	uuids    int                 // made so far
	last     time.Time           // of the latest event
}

// meeting is a scheduled meeting or webinar.
type meeting struct {
	id          int64
	webinar     bool
	uuid        string // of the occurrence that is due or on
	host        string
	fields      map[string]any // what the caller may set
	started     time.Time      // zero: nobody is there yet
	created     time.Time
	registrants []*registrant
	panelists   []*Panelist // of a webinar
	past        []*occurrence
}

// registrant is a person registered for a meeting.
type registrant struct {
	ID      string
	Email   string
	First   string
	Last    string
	Status  string // approved, pending
	JoinURL string
}

// occurrence is a meeting that took place.
type occurrence struct {
	uuid       string
	started    time.Time
	ended      time.Time
	people     []Person
	reportAt   time.Time // when the list of participants is there
	refuse     int       // so many times it is not there whatever the time
	recordedAt time.Time // zero: not recorded
	trashed    bool      // the recording is
}

// Person took part in a meeting.
type Person struct {
	Name    string
	Email   string // guests have none
	Minutes int
}

// New returns an empty World.
func New(o Options) *World {
	w := &World{o: o, meetings: map[int64]*meeting{}, byUUID: map[string]*meeting{}}
	w.addUser(owner, ownerEmail, "Noor", "Haddad", time.Now())
	for _, name := range o.Users {
		w.nameUser(name)
	}
	return w
}

// Handlers are the operations that the World does, by name.
func (w *World) Handlers() map[string]rest.Handler {
	all := map[string]rest.Handler{}
	for name, do := range handlers {
		all[name] = w.locked(do)
	}
	return all
}

var handlers = map[string]func(*World, *rest.Call) rest.Answer{
	"create_meeting":                 (*World).createMeeting,
	"get_meeting":                    (*World).getMeeting,
	"update_meeting":                 (*World).updateMeeting,
	"delete_meeting":                 (*World).deleteMeeting,
	"list_meetings":                  (*World).listMeetings,
	"add_meeting_registrant":         (*World).addRegistrant,
	"get_past_meeting":               (*World).getPast,
	"list_past_meeting_instances":    (*World).listInstances,
	"list_past_meeting_participants": (*World).listParticipants,
	"get_meeting_recordings":         (*World).getRecordings,
	"list_recordings":                (*World).listRecordings,
	"list_account_recordings":        (*World).listAccountRecordings,
	"create_webinar":                 (*World).createMeeting,
	"get_webinar":                    (*World).getMeeting,
	"update_webinar":                 (*World).updateMeeting,
	"delete_webinar":                 (*World).deleteMeeting,
	"list_webinars":                  (*World).listMeetings,
	"list_webinar_panelists":         (*World).listPanelists,
	"add_webinar_panelists":          (*World).addPanelists,
	"remove_webinar_panelist":        (*World).removePanelist,
	"remove_webinar_panelists":       (*World).removePanelists,
	"list_users":                     (*World).listUsers,
	"get_user":                       (*World).getUser,
	"send_chat_message":              (*World).sendChatMessage,
}

// locked makes a handler of one that runs under the lock. Its answer is made into
// text before the lock is left: it shares the world's maps.
func (w *World) locked(do func(*World, *rest.Call) rest.Answer) rest.Handler {
	return func(c *rest.Call) rest.Answer {
		w.mu.Lock()
		defer w.mu.Unlock()
		return do(w, c).Written()
	}
}

// tell notes what a call makes happen.
func (w *World) tell(c *rest.Call, e Event) {
	c.Made = append(c.Made, w.compose(e, c.By.Account))
}

// newMeetingID returns a number of eleven digits that is free.
func (w *World) newMeetingID() int64 {
	for {
		id := 80_000_000_000 + int64(binary.BigEndian.Uint64(randomBytes(8))%10_000_000_000)
		if w.meetings[id] == nil {
			return id
		}
	}
}

// newUUID returns an occurrence's id. Every fourth begins with a slash and every
// eighth has two in a row too, so that whoever does not encode them finds out.
func (w *World) newUUID() string {
	b := randomBytes(16)
	w.uuids++
	if w.uuids%4 == 0 {
		b[0] |= 0xfc
	}
	if w.uuids%8 == 0 {
		b[3], b[4] = 0xff, b[4]|0xf0
	}
	return base64.StdEncoding.EncodeToString(b)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// add puts a meeting into the world.
func (w *World) add(host string, fields map[string]any, now time.Time) *meeting {
	return w.addKind(false, host, fields, now)
}

func (w *World) addKind(webinar bool, host string, fields map[string]any, now time.Time) *meeting {
	m := &meeting{id: w.newMeetingID(), webinar: webinar, host: host, fields: fields, created: now}
	w.insert(m)
	return m
}

func (w *World) insert(m *meeting) {
	if m.uuid == "" {
		m.uuid = w.newUUID()
	}
	w.meetings[m.id] = m
	w.byUUID[m.uuid] = m
	w.order = append(w.order, m.id)
}

// find returns the meeting of a number or of an occurrence's UUID, or nil.
func (w *World) find(id string) *meeting {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return w.meetings[n]
	}
	return w.byUUID[id]
}

// due returns the meeting or webinar that a call names, as long as it is not
// deleted, or nil.
func (w *World) due(c *rest.Call) *meeting {
	m := w.find(c.ID)
	if m == nil || m.gone() || m.webinar != onWebinar(c) {
		return nil
	}
	return m
}

// onWebinar tells whether a call is about webinars.
func onWebinar(c *rest.Call) bool { return strings.Contains(c.Op.Path, "/webinars") }

// findPast returns the occurrence of a UUID, of a number the latest, or nil.
func (w *World) findPast(id string) (*meeting, *occurrence) {
	m := w.find(id)
	if m == nil || len(m.past) == 0 {
		return nil, nil
	}
	for _, o := range m.past {
		if o.uuid == id {
			return m, o
		}
	}
	if strconv.FormatInt(m.id, 10) != id {
		return nil, nil
	}
	return m, m.past[len(m.past)-1]
}

// end makes the occurrence that is on a past one; the next has a UUID of its own.
func (w *World) end(m *meeting, now time.Time, reportDelay time.Duration) *occurrence {
	o := &occurrence{uuid: m.uuid, started: m.started, ended: now, reportAt: now.Add(reportDelay), people: defaultPeople()}
	if o.started.IsZero() {
		o.started = now.Add(-45 * time.Minute)
	}
	m.past = append(m.past, o)
	m.started, m.uuid = time.Time{}, w.newUUID()
	w.byUUID[m.uuid] = m
	return o
}

func defaultPeople() []Person {
	return []Person{
		{Name: "Noor Haddad", Email: "noor.haddad@harbor.example", Minutes: 45},
		{Name: "Tomas Brandt", Email: "tomas.brandt@guest.example", Minutes: 41},
		{Name: "Phone guest", Minutes: 12},
	}
}

// drop removes a meeting; its past occurrences stay readable.
func (w *World) drop(m *meeting) {
	delete(w.byUUID, m.uuid)
	if len(m.past) == 0 {
		delete(w.meetings, m.id)
	}
	m.uuid = ""
}

// gone tells that a meeting was deleted.
func (m *meeting) gone() bool { return m.uuid == "" }
