package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/watch"
)

// movable is a clock that is ahead of the wall's by a time that can be set.
type movable struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (m *movable) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

func (m *movable) set(ahead time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead = ahead
}

// counted counts the objects that are listed under a prefix.
type counted struct {
	ingest.Bucket
	requests, listed int
	stuck            string // cannot be deleted
}

func (c *counted) List(ctx context.Context, prefix, after string, yield func(ingest.Object) bool) error {
	if prefix != ingest.DatabasePrefix {
		return c.Bucket.List(ctx, prefix, after, yield)
	}
	c.requests++
	return c.Bucket.List(ctx, prefix, after, func(o ingest.Object) bool {
		c.listed++
		return yield(o)
	})
}

func (c *counted) Delete(ctx context.Context, key string) error {
	if key == c.stuck {
		return ingest.Errorf(ingest.Internal, "test", "it is locked")
	}
	return c.Bucket.Delete(ctx, key)
}

const day = 24 * time.Hour

// reading requests an import from a database and begins it, with one part recorded and one lost.
func (h house) reading(t *testing.T) (imp ingest.Import, recorded, lost string) {
	t.Helper()
	imp, err := h.ledger.RequestImport(t.Context(), acme, ingest.NewImportID(), ingest.Database{Sealed: []byte("x")}, "me")
	if err == nil {
		imp, err = h.ledger.Take(t.Context(), imp.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	recorded = ingest.PartKey(time.Now(), acme, imp.ID, imp.Attempt, 1)
	lost = ingest.PartKey(time.Now(), acme, imp.ID, imp.Attempt, 2)
	imp.Database.Plan = &ingest.DatabasePlan{Relations: []ingest.PlannedRelation{{Name: "dbo.Matter", Table: "Matter"}}}
	h.put(t, recorded, "rows")
	h.put(t, lost, "rows")
	err = h.ledger.RecordPart(t.Context(), imp, ingest.ImportFile{
		Number: 1, Drop: ingest.NewDropID(), Path: "/database/dbo.Matter.csv.gz", Key: recorded, Size: 4, ReceivedAt: time.Now(),
		Relation: "dbo.Matter", Table: "Matter",
	})
	if err != nil {
		t.Fatal(err)
	}
	return imp, recorded, lost
}

func (h house) has(t *testing.T, key string) bool {
	t.Helper()
	_, err := h.bucket.Stat(t.Context(), key)
	if err != nil && ingest.KindOf(err) != ingest.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

func TestSweepDeletesPartsThatNobodyRecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Hour)
	b, clock := &counted{Bucket: h.bucket}, &movable{}
	var log bytes.Buffer
	w, err := watch.New(watch.Config{
		Ledger: h.ledger, Bucket: b, Receiver: h.receiver, Clock: clock.now, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	sweep := func() {
		t.Helper()
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, recorded, lost := h.reading(t)
	foreign := ingest.PartKey(time.Now(), acme, ingest.NewImportID(), 1, 1) // a database restored from a backup does not know it
	stray := ingest.PartHour(time.Now()) + "note.txt"
	h.put(t, foreign, "rows")
	h.put(t, stray, "x")

	sweep()
	clock.set(2 * day) // the import may still be under way
	sweep()
	if !h.has(t, lost) {
		t.Fatal("a part was deleted before its time")
	}
	clock.set(3*day + 2*time.Hour)
	sweep()
	for key, want := range map[string]bool{recorded: true, lost: false, foreign: true, stray: true} {
		if h.has(t, key) != want {
			t.Errorf("%s is there: %v, want %v", key, !want, want)
		}
	}
	for _, told := range []string{`under=database/*/acme`, `under=database/ `, "key=" + lost} {
		if strings.Count(log.String(), told) != 1 {
			t.Errorf("%q is not told once:\n%s", told, log.String())
		}
	}

	// What has been looked at is not listed again.
	requests, listed := b.requests, b.listed
	sweep()
	sweep()
	if b.requests-requests > 1 { // where an hour began in between
		t.Errorf("%d requests for nothing new", b.requests-requests)
	}
	clock.set(3*day + 12*time.Hour)
	sweep()
	if b.listed != listed {
		t.Errorf("%d objects were listed again", b.listed-listed)
	}
}

// TestSweepGoesOnAfterAPartThatStays has more lost parts than are looked at together, one of which cannot be deleted, and a
// ledger that is away at first.
func TestSweepGoesOnAfterAPartThatStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Hour)
	imp, recorded, lost := h.reading(t)
	for i := range 520 { // a batch and some
		h.put(t, ingest.PartKey(time.Now(), acme, imp.ID, imp.Attempt, 1000+i), "x")
	}
	b, clock, led := &counted{Bucket: h.bucket, stuck: lost}, &movable{ahead: 4 * day}, &forgetful{away: away{h.ledger}, fails: 1}
	w, err := watch.New(watch.Config{Ledger: led, Bucket: b, Receiver: h.receiver, Clock: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Sweep(t.Context()); err == nil || ingest.KindOf(err) != ingest.Internal && !strings.Contains(err.Error(), "away") {
		t.Errorf("with the ledger away: %v", err)
	}
	if err := w.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "it is locked") {
		t.Errorf("with an object that stays: %v", err)
	}
	var left []string
	err = h.bucket.List(t.Context(), ingest.DatabasePrefix, "", func(o ingest.Object) bool {
		left = append(left, o.Key)
		return true
	})
	if err != nil || fmt.Sprint(left) != fmt.Sprint([]string{recorded, lost}) {
		t.Errorf("left are %d: %q, %v", len(left), left[:min(len(left), 5)], err)
	}
	if err := w.Sweep(t.Context()); err != nil {
		t.Errorf("it stays in the way: %v", err)
	}
}

// forgetful is a ledger that is away the first times it is asked for parts.
type forgetful struct {
	away
	fails int
}

func (f *forgetful) Known(ctx context.Context, keys []string) ([]bool, error) {
	if len(keys) > 0 && strings.HasPrefix(keys[0], ingest.DatabasePrefix) && f.fails > 0 {
		f.fails--
		return nil, ingest.Errorf(ingest.Unavailable, "test", "PostgreSQL is away")
	}
	return f.Ledger.Known(ctx, keys)
}
