package zoomcatalog

// Key is a business key: what makes an event of a type this event and no other,
// whatever differs between two deliveries of it. Its paths begin below payload. Of
// Object and Part at least one value each must be there, as without it the paths
// would not tell two events apart.
type Key struct {
	Name   string   // participant; whole: all that is not volatile
	Object []string // what the event is about
	Part   []string // which part of it; none where the object is enough
	More   []string // what else tells two of them apart
}

// Whole says that no paths identify the event, but all that it says. So it is for
// the types whose fields do not tell two events apart (an alert's issues, a
// change's values), and for those that are not known.
func (k Key) Whole() bool { return len(k.Object) == 0 }

// Paths returns all of the key's paths.
func (k Key) Paths() []string {
	all := make([]string, 0, len(k.Object)+len(k.Part)+len(k.More))
	return append(append(append(all, k.Object...), k.Part...), k.More...)
}

// Key returns the event's business key.
func (e Event) Key() Key { return keys[e.key] }

// KeyOf returns the business key of a type; that of a type that is not known is
// whole.
func KeyOf(name string) Key {
	e, _ := Lookup(name)
	return e.Key()
}

// Volatile tells whether what stands under a name may differ between two deliveries
// of one event: credentials that are made for the delivery, and addresses that hold
// one.
func Volatile(name string) bool {
	switch name {
	case "download_token", "download_access_token", "callback_token",
		"play_url", "start_url", "response_url", "transcript_url", "file_link", "file_download_link", "asset_item_file_url":
		return true
	}
	const end = "download_url"
	return len(name) >= len(end) && name[len(name)-len(end):] == end
}
