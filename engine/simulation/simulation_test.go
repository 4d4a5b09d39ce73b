package simulation

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	oneSeed = flag.Uint64("sim.seed", 0, "play this seed only, and show what happens")
	seeds   = flag.Uint64("sim.seeds", 1000, "how many seeds to play")
	lines   = flag.Int("sim.lines", 60, "how much to show of what happened before a rule was broken")
	planted = flag.String("sim.plant", "", "a bug to plant")
)

// plant is a bug in the rules that a play follows.
type plant string

const (
	noPlant      plant = ""
	actsFirst    plant = "a call begins before its start is recorded"
	twice        plant = "an attempt is called each time it is decided"
	looksFirst   plant = "the last sequence is read before the registration"
	looksNever   plant = "the past is not looked through"
	acksFirst    plant = "a message is acknowledged before what follows from it"
	noFlush      plant = "a call begins before its start is flushed"
	noLease      plant = "a call begins without a look at the lease"
	oneAbsence   plant = "a lease that is absent once is gone"
	dropsHolder  plant = "a holder is dropped that is alive"
	wallClock    plant = "the clock is the wall's"
	startsBlind  plant = "an event that seems new starts its run though that is in memory"
	parkedGoesOn plant = "an owner goes on with a run that it finds parked"
	readsInVain  plant = "a lease is read for a message that is too old by then"
	routesLate   plant = "the router acknowledges first"
)

// TestSeeds: whatever fails, and in whatever order, the rules hold.
func TestSeeds(t *testing.T) {
	if *oneSeed != 0 {
		show(t, planOf(*oneSeed, plant(*planted)))
		return
	}
	if testing.Short() {
		*seeds = min(*seeds, 20)
	}
	if bad := hunt(1, *seeds, plant(*planted)); len(bad) > 0 {
		t.Logf("%d of %d seeds fail; the first are %v", len(bad), *seeds, bad[:min(len(bad), 10)])
		show(t, planOf(bad[0], plant(*planted)))
	}
}

// seen is where to look for each bug: some need rare circumstances, and a play that is
// known to have them comes early.
var seen = map[plant]uint64{
	noFlush: 1, actsFirst: 1, twice: 1, acksFirst: 1, wallClock: 1, routesLate: 1, looksNever: 1, dropsHolder: 1, parkedGoesOn: 1,
	startsBlind: 1, looksFirst: 255, oneAbsence: 420, noLease: 215, readsInVain: 310,
}

// mostPlays is how many plays a bug may be missed in.
const mostPlays = 600

// TestPlanted: a bug in the rules is seen.
func TestPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of plays")
	}
	for p, from := range seen {
		t.Run(string(p), func(t *testing.T) {
			for seed := from; seed < from+mostPlays; seed++ {
				if s := play(planOf(seed, p)); s.bad != "" {
					t.Logf("seed %d: %s", seed, strings.SplitN(s.bad, "\n", 2)[0])
					return
				}
			}
			t.Errorf("not seen in %d plays", mostPlays)
		})
	}
}

// TestSame: a play follows from its seed.
func TestSame(t *testing.T) {
	for seed := range uint64(6) {
		p := planOf(seed, noPlant)
		p.tracing = true
		a, b := play(p), play(p)
		if !slices.Equal(a.trace, b.trace) {
			t.Errorf("seed %d plays in two ways: %d and %d effects", seed, a.effects, b.effects)
		}
	}
}

// hunt plays seeds on all processors, and returns those that broke a rule.
func hunt(from, n uint64, p plant) (bad []uint64) {
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := range next {
				if s := play(planOf(seed, p)); s.bad != "" {
					mu.Lock()
					bad = append(bad, seed)
					mu.Unlock()
				}
			}
		})
	}
	for seed := from; seed < from+n; seed++ {
		next <- seed
	}
	close(next)
	group.Wait()
	slices.Sort(bad)
	return bad
}

// show plays a seed again, and says what happened before it broke a rule.
func show(t *testing.T, p plan) {
	t.Helper()
	p.tracing = true
	s := play(p)
	if s.bad == "" {
		t.Logf("seed %d: all is well after %v and %d effects", p.seed, s.now, s.effects)
		return
	}
	last := s.trace[max(0, len(s.trace)-*lines):]
	t.Errorf("seed %d (again: go test ./engine/simulation -run TestSeeds -sim.seed %d): %s\n%s", p.seed, p.seed, s.bad, strings.Join(last, "\n"))
}
