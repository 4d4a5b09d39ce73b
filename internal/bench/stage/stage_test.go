package stage

import (
	"testing"
	"time"
)

// TestStage: calls stay until so many are there, and are counted.
func TestStage(t *testing.T) {
	s := &Stage{}
	s.Set(time.Hour, 2)
	first, _ := s.enter()
	select {
	case <-first:
		t.Error("one call is enough")
	default:
	}
	if second, length := s.enter(); length != time.Hour {
		t.Errorf("it takes %v", length)
	} else {
		<-second
	}
	<-first
	s.leave()
	s.enter()
	if calls, most := s.Seen(); calls != 3 || most != 2 {
		t.Errorf("%d calls, %d at once", calls, most)
	}
}
