package imap

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"zflow/sources/imap/place"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"
)

const (
	// mostAtOnce is how many mails a search is followed through with.
	mostAtOnce = 100
	// mostAgain is how many mails are looked at again where their uids have changed.
	mostAgain = 2000
	// before is how far back that reaches before the last look: clocks differ.
	before = 24 * time.Hour
)

// begin makes the position one of the mailbox as it is now.
func (s *session) begin(ctx context.Context) error {
	p := &s.position
	if p.Validity == s.last.UIDValidity {
		return nil
	}
	newest, err := s.newest()
	if err != nil {
		return err
	}
	again, from := p.Validity != 0, unread(*p)
	p.UID, p.Until, p.From, p.Validity = newest, 0, time.Time{}, s.last.UIDValidity
	switch {
	case again:
		err = s.again(newest, from)
	case s.Since > 0:
		p.UID, p.Until, p.From = 0, newest, time.Now().Add(-s.Since).UTC()
	}
	if err != nil {
		return err
	}
	return s.save(ctx)
}

// unread is since when mails may have come that were not taken.
func unread(p place.Position) time.Time {
	from := time.Now().UTC()
	if !p.Looked.IsZero() {
		from = p.Looked
	}
	from = from.Add(-before)
	if p.UID < p.Until && p.From.Before(from) {
		return p.From // the first look was not finished
	}
	return from
}

// again makes mails be looked at that came since shortly before the last look, since all
// have other uids now.
func (s *session) again(newest uint32, from time.Time) error {
	p := &s.position
	uids, err := s.search(0, newest, from)
	if err != nil {
		return err
	}
	when := time.Now().UTC().Format(time.RFC3339)
	if len(uids) > mostAgain {
		p.Note = fmt.Sprintf("%s: the server gave all mails other uids (UIDVALIDITY); %d of them say that they came since %s, too many to look at again: "+
			"mails that came just then may have been passed by", when, len(uids), from.Format(time.RFC3339))
		s.Log.Error("the server gave all mails other uids, and too many seem new: what came just now may be passed by", zap.Int("mails", len(uids)))
		return nil
	}
	p.UID, p.Until, p.From = 0, newest, from
	p.Note = fmt.Sprintf("%s: the server gave all mails other uids (UIDVALIDITY); those since %s were looked at again, but for the ones that were known",
		when, from.Format(time.RFC3339))
	s.Log.Warn("the server gave all mails other uids: the last ones are looked at again", zap.Int("mails", len(uids)))
	return nil
}

// newest is the uid of the last mail that there is; 0: there is none.
func (s *session) newest() (uint32, error) {
	if s.last.UIDNext > 0 {
		return uint32(s.last.UIDNext) - 1, nil
	}
	uids, err := s.search(0, 0, time.Time{})
	if err != nil || len(uids) == 0 {
		return 0, err
	}
	return uids[len(uids)-1], nil
}

// look takes what there is beyond the position.
func (s *session) look(ctx context.Context) error {
	select { // what came until now is found by the search
	case <-s.news:
	default:
	}
	p := &s.position
	for p.UID < p.Until {
		uids, err := s.search(p.UID, p.Until, p.From)
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			p.UID = p.Until
			if err := s.save(ctx); err != nil {
				return err
			}
		}
		if err := s.takeAll(ctx, uids); err != nil {
			return err
		}
	}
	for {
		uids, err := s.search(p.UID, 0, time.Time{})
		if err != nil || len(uids) == 0 {
			return err
		}
		if err := s.takeAll(ctx, uids); err != nil {
			return err
		}
	}
}

// search returns the uids of mails after one, up to one (0: the last), that came since a
// day; in their order.
func (s *session) search(after, until uint32, since time.Time) ([]uint32, error) {
	defer s.meter.allow(commandWithin, 0)()
	set := imap.UIDSet{imap.UIDRange{Start: imap.UID(after) + 1, Stop: imap.UID(until)}}
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{set}}
	if !since.IsZero() {
		criteria.Since = since.Add(-24 * time.Hour) // of days, in whatever zone the server has
	}
	data, err := s.client.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("searching for mails: %w", err)
	}
	found, _ := data.All.(imap.UIDSet)
	return listed(found, after, until), nil
}

// listed are the uids of a set, but for those outside, which servers name too: the last
// mail is always in n:*.
func listed(set imap.UIDSet, after, until uint32) (all []uint32) {
	if after == math.MaxUint32 {
		return nil
	}
	for _, r := range set {
		first, last := uint32(min(r.Start, r.Stop)), uint32(max(r.Start, r.Stop))
		first = max(first, after+1)
		for uid := first; uid != 0 && uid <= last && len(all) <= 10*mostAgain; uid++ {
			if until == 0 || uid <= until {
				all = append(all, uid)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// kept is what is known of a mail before it is read.
type kept struct {
	uid  uint32
	size int64
	came time.Time
}

// takeAll takes mails, in their order; those that came before From are passed by.
func (s *session) takeAll(ctx context.Context, uids []uint32) error {
	for some := range slices.Chunk(uids, mostAtOnce) {
		all, err := s.about(some)
		if err != nil {
			return err
		}
		for _, uid := range some {
			one, there := all[uid]
			switch {
			case !there:
				s.gone(uid)
			case uid <= s.position.Until && one.came.Before(s.position.From):
				s.position.UID = uid // it was there before
			default:
				err = s.take(ctx, one)
			}
			if err != nil {
				return err
			}
		}
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// about asks for the sizes and times of mails.
func (s *session) about(uids []uint32) (map[uint32]kept, error) {
	defer s.meter.allow(commandWithin, 0)()
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	found, err := s.client.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}).Collect()
	if err != nil {
		return nil, fmt.Errorf("asking about mails: %w", err)
	}
	all := map[uint32]kept{}
	for _, m := range found {
		all[uint32(m.UID)] = kept{uid: uint32(m.UID), size: m.RFC822Size, came: cameAt(m)}
	}
	return all, nil
}

// cameAt is when a mail came; of one without a time that is now.
func cameAt(m *imapclient.FetchMessageBuffer) time.Time {
	if m.InternalDate.IsZero() {
		return time.Now()
	}
	return m.InternalDate
}
