package durable

import "encoding/json"

// infoSubject answers which Flusher is there; a stream's own subject is
// proto.FlushSubject.
const infoSubject = "zflow.flush"

// answer is what the Flusher says to either request.
type answer struct {
	Server  string `json:"server"`            // id of the server whose files were flushed
	Mode    Mode   `json:"mode,omitempty"`    // to the info request only
	Free    uint64 `json:"free"`              // bytes free on the disk
	Size    uint64 `json:"size,omitempty"`    // bytes of the disk, to the info request only
	Reserve uint64 `json:"reserve,omitempty"` // bytes below which nothing new is accepted
	Error   string `json:"error,omitempty"`   // why the stream was not flushed
}

func (a answer) encode() []byte {
	b, _ := json.Marshal(a) // strings and numbers: cannot fail
	return b
}
