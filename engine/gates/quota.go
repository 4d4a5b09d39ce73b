package gates

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zflow/proto"
)

// quotaLife is how long a minute's count is kept: a start is late by less.
const quotaLife = 10 * time.Minute

// Take counts a run that is about to begin, durably, and says whether its workflow
// may begin one more in the minute of the clock that a time falls into.
//
// However many take at once, no more than the limit are told yes in one minute. It
// may be fewer: a run whose begin failed after it was counted is counted again when
// its event comes again. Two minutes' runs may begin close together, around the
// full minute.
func (s *Store) Take(ctx context.Context, workflow string, at time.Time, limit int) (ok bool, err error) {
	key := proto.QuotaKey(workflow, at.Unix()/60)
	err = s.once.Durably(ctx, func() error {
		s.counting.Lock() // those of one process need not conflict
		defer s.counting.Unlock()
		old, err := s.once.Get(ctx, key)
		if err != nil {
			return err
		}
		n := 0
		if old.Value != nil {
			if n, err = strconv.Atoi(string(old.Value)); err != nil {
				return fmt.Errorf("reading %s in %s: %w", key, proto.Once, err)
			}
		}
		if ok = n < limit; !ok {
			return nil
		}
		return s.once.Swap(ctx, key, old, strconv.AppendInt(nil, int64(n+1), 10), quotaLife)
	})
	if err != nil {
		return false, fmt.Errorf("counting the runs of %s in a minute: %w", workflow, err)
	}
	return ok, nil
}
