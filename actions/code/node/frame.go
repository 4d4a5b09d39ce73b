package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Letters of frames, which runner.js knows too.
const (
	toBundle = 'B'
	toCall   = 'C'
	toAnswer = 'A'

	fromReady  = 'R'
	fromAsk    = 'S'
	fromLog    = 'L'
	fromOutput = 'O'
	fromError  = 'E'
)

// maxFrame bounds what a process may say at once: code may write to the pipe itself.
const maxFrame = 64 << 20

// frame is a message to a process or from one.
type frame struct {
	letter byte
	body   []byte
}

// write sends a frame made of parts.
func write(w io.Writer, letter byte, parts ...[]byte) error {
	size := 1
	for _, p := range parts {
		size += len(p)
	}
	if size > maxFrame {
		return fmt.Errorf("%d bytes are too much for one call", size)
	}
	out := make([]byte, 4, 4+size)
	binary.LittleEndian.PutUint32(out, uint32(size))
	out = append(out, letter)
	for _, p := range parts {
		out = append(out, p...)
	}
	_, err := w.Write(out)
	return err
}

var errFrame = errors.New("the process wrote what is no frame")

// read returns the next frame.
func read(r io.Reader) (frame, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	size := binary.LittleEndian.Uint32(head[:4])
	if size == 0 || size > maxFrame {
		return frame{}, errFrame
	}
	body := make([]byte, size-1)
	if _, err := io.ReadFull(r, body); err != nil {
		return frame{}, err
	}
	return frame{head[4], body}, nil
}
