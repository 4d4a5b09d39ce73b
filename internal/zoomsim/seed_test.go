package zoomsim

import "testing"

func TestSeedTellsOneEventForEachExample(t *testing.T) {
	s := New(Options{})
	for _, h := range s.Seed() {
		t.Logf("%s %s", h.Type, h.Body)
	}
}
