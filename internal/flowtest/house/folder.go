package house

import (
	"os"
	"sync"

	"zflow/internal/durable"
)

// memory is a folder that is kept in memory, on Linux. A test makes some hundred
// files and flushes them: on a disk that is most of what it costs.
const memory = "/dev/shm"

// enough is the room that the streams of a few houses ask for; a container has
// often less in memory.
const enough = 4 << 30

// newFolder makes a folder for a store: in memory where there is room, unless the
// environment has a place of its own for what is temporary.
func newFolder() (string, error) {
	if os.TempDir() == "/tmp" && inMemory() {
		if dir, err := os.MkdirTemp(memory, "zflow-test-"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", "zflow-test-")
}

var inMemory = sync.OnceValue(func() bool {
	free, err := durable.Room(memory)
	return err == nil && free >= enough
})
