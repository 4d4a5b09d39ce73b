package gates

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"zflow/proto"
)

const (
	// behind is how much later than it came an event may be handled: as long as
	// EVENTS keeps events by default. An entry outlives its Per by that.
	behind = 28 * 24 * time.Hour
	// maxWinners bounds how many that are Per and more apart an entry knows.
	maxWinners = 16
)

// Claim is what an event asks a trigger's once.
type Claim struct {
	Workflow string
	Trigger  string // tells the triggers of a workflow apart
	Key      string
	EventID  string
	At       time.Time     // when the event came: that of its message in EVENTS
	Per      time.Duration // 0: for ever
}

// winner is an event that won.
type winner struct {
	Event string    `json:"e"`
	At    time.Time `json:"t"`
}

// Win says, durably, whether an event is the one of its key that starts a run, and
// which event is. The winner wins again when it asks again.
func (s *Store) Win(ctx context.Context, c Claim) (won bool, by string, err error) {
	key := proto.OnceKey(c.Workflow, c.Trigger, c.Key)
	err = s.once.Durably(ctx, func() error {
		old, err := s.once.Get(ctx, key)
		if err != nil {
			return err
		}
		var winners []winner
		if old.Value != nil {
			if err := json.Unmarshal(old.Value, &winners); err != nil {
				return fmt.Errorf("reading %s in %s: %w", key, proto.Once, err)
			}
		}
		if by = c.lostTo(winners); by != "" {
			return nil
		}
		by = c.EventID
		next, err := json.Marshal(c.among(winners))
		if err != nil {
			return err
		}
		return s.once.Swap(ctx, key, old, next, c.life())
	})
	if err != nil {
		return false, "", fmt.Errorf("asking whether event %s is the first for %s: %w", c.EventID, c.Workflow, err)
	}
	return by == c.EventID, by, nil
}

// lostTo returns who has won, the event itself or another; "" if nobody has.
func (c *Claim) lostTo(winners []winner) string {
	for _, w := range winners {
		if w.Event == c.EventID {
			return w.Event
		}
	}
	for _, w := range winners {
		if c.Per <= 0 || c.At.Sub(w.At).Abs() < c.Per {
			return w.Event
		}
	}
	// What came before all that a full entry knows may have a winner that it forgot.
	if len(winners) == maxWinners && c.At.Before(winners[0].At) {
		return winners[0].Event
	}
	return ""
}

// among adds the event to the winners; the oldest are forgotten.
func (c *Claim) among(winners []winner) []winner {
	winners = append(winners, winner{c.EventID, c.At.UTC()})
	slices.SortFunc(winners, func(a, b winner) int { return a.At.Compare(b.At) })
	return winners[max(0, len(winners)-maxWinners):]
}

func (c *Claim) life() time.Duration {
	if c.Per <= 0 {
		return 0
	}
	return c.Per + behind
}
