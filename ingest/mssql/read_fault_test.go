package mssql_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// large is a table of so many generated rows.
func large(name string, rows int) tdstest.Table {
	return tdstest.Table{
		Name: name, PrimaryKey: []string{"id"}, Count: rows,
		Columns: []tdstest.Column{{Name: "id", Type: "int", NotNull: true}, {Name: "text", Type: "nvarchar(200)"}},
		Generate: func(i int, dst []any) {
			dst[0], dst[1] = i, "some text that is not very long"
		},
	}
}

func TestALostConnectionIsSaidSoAndTheNextReadConnects(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for _, snapshot := range []bool{false, true} {
			s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 5000)}, Snapshot: snapshot})
			c := way(siteOf(s)).open(t, mssql.Options{})
			if _, err := c.Survey(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.SetFaults(tdstest.Faults{DropAfterRows: 1500, DropTimes: 2})
			p := mssql.Part{Schema: "dbo", Name: "Big", Key: "id", Limit: 1000}
			lost, rows := 0, int64(0)
			for n := 0; n < 20; n++ {
				res, err := c.Read(t.Context(), p, io.Discard, nil)
				if err != nil {
					if !mssql.IsLost(err) {
						t.Fatalf("%v", err)
					}
					lost++
					continue
				}
				rows += res.Rows
				if p.After = res.Last; !res.More {
					break
				}
			}
			if rows != 5000 || lost != 2 {
				t.Errorf("snapshot %v: %d rows, lost %d times", snapshot, rows, lost)
			}
			if want := map[bool]int{true: 3, false: 0}[snapshot]; c.Snapshots() != want {
				t.Errorf("%d snapshots, want %d", c.Snapshots(), want)
			}
		}
	})
}

func TestAStalledServerIsLost(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for _, deaf := range []bool{false, true} {
			s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 5000)}})
			c := way(siteOf(s)).open(t, mssql.Options{StallTimeout: 300 * time.Millisecond})
			s.SetFaults(tdstest.Faults{StallAfterRows: 700, StallTimes: 1, StallFor: time.Hour, StallDeaf: deaf})
			start := time.Now()
			_, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil)
			if !mssql.IsLost(err) || ingest.HintOf(err) == "" {
				t.Errorf("deaf %v: %v", deaf, err)
			}
			if d := time.Since(start); d > 15*time.Second {
				t.Errorf("deaf %v: it took %s to say so", deaf, d)
			}
			if res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil); err != nil || res.Rows != 5000 {
				t.Errorf("deaf %v: then: %d rows, %v", deaf, res.Rows, err)
			}
		}
	})
}

func TestASlowWriterIsNoStall(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 5000)}})
		c := way(siteOf(s)).open(t, mssql.Options{StallTimeout: 200 * time.Millisecond})
		res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, writerFunc(func(b []byte) (int, error) {
			time.Sleep(500 * time.Millisecond)
			return len(b), nil
		}), nil)
		if err != nil || res.Rows != 5000 {
			t.Errorf("%d rows, %v", res.Rows, err)
		}
	})
}

type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestACancelReachesTheServer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for _, snapshot := range []bool{false, true} {
			s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 50_000_000), large("Small", 100)}, Snapshot: snapshot})
			c := way(siteOf(s)).open(t, mssql.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			var at atomic.Int64
			_, err := c.Read(ctx, mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, func(rows int64) {
				if at.Load() == 0 {
					at.Store(time.Now().UnixNano())
					cancel()
				}
			})
			if d := time.Since(time.Unix(0, at.Load())); d > 2*time.Second {
				t.Errorf("it took %s", d)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			for until := time.Now().Add(5 * time.Second); s.Attentions() == 0 && time.Now().Before(until); {
				time.Sleep(time.Millisecond) // a process of its own is told when its connection is closed
			}
			if n := s.Attentions(); n != 1 {
				t.Errorf("the server saw %d attentions", n)
			}
			if res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Small"}, io.Discard, nil); err != nil || res.Rows != 100 {
				t.Errorf("then: %d rows, %v", res.Rows, err)
			}
			if snapshot && c.Snapshots() != 1 {
				t.Errorf("a cancel cost a snapshot: %d", c.Snapshots())
			}
		}
	})
}

func TestErrorsAmongTheRows(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for name, c := range map[string]struct {
			faults    tdstest.Faults
			lost      bool
			snapshots int
		}{
			"a value cannot be converted": {tdstest.Faults{ErrorAfterRows: 700, RowError: &tdstest.Error{Number: 245, Class: 16, State: 1, Message: "Conversion failed"}}, false, 1},
			"a deadlock":                  {tdstest.Faults{ErrorAfterRows: 700, RowError: &tdstest.Error{Number: 1205, Class: 13, State: 1, Message: "deadlock"}}, true, 2},
			"the end of the transaction":  {tdstest.Faults{ErrorAfterRows: 700, RowError: &tdstest.Error{Number: 3961, Class: 16, State: 1, Message: "Snapshot isolation transaction failed"}}, false, 2},
			"a fatal error":               {tdstest.Faults{ErrorAfterRows: 700, RowError: &tdstest.Error{Number: 823, Class: 24, State: 1, Message: "I/O error"}}, true, 2},
			"garbage":                     {tdstest.Faults{GarbageAfterRows: 700}, false, 2},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 5000)}, Snapshot: true})
				client := way(siteOf(s)).open(t, mssql.Options{})
				s.SetFaults(c.faults)
				res, err := client.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil)
				if err == nil || c.lost && !mssql.IsLost(err) {
					t.Fatalf("%d rows, lost %v: %v", res.Rows, mssql.IsLost(err), err)
				}
				if res, err = client.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil); err != nil || res.Rows != 5000 {
					t.Errorf("then: %d rows, %v", res.Rows, err)
				}
				if n := client.Snapshots(); n != c.snapshots {
					t.Errorf("%d snapshots, want %d", n, c.snapshots)
				}
			})
		}
	})
}

func TestAMillionRowsInLittleMemory(t *testing.T) {
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 1_000_000)}})
	c := siteOf(s).open(t, mssql.Options{})
	var most uint64
	var looks int
	res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, func(int64) {
		if looks++; looks%50 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
	})
	if err != nil || res.Rows != 1_000_000 {
		t.Fatalf("%d rows, %v", res.Rows, err)
	}
	t.Logf("at most %d KiB of heap, the server's included", most>>10)
	if most > 64<<20 {
		t.Errorf("%d MiB of heap", most>>20)
	}
}

func TestSeveralAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 20_000)}})
		c := way(siteOf(s)).open(t, mssql.Options{Sessions: 2})
		done := make(chan error)
		for range 6 {
			go func() {
				res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil)
				if err == nil && res.Rows != 20_000 {
					err = errors.New("rows are missing")
				}
				done <- err
			}()
		}
		for range 6 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := s.MaxConnections(); n != 2 {
			t.Errorf("%d connections at once", n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, &strings.Builder{}, nil); err == nil {
			t.Error("a closed client reads")
		}
	})
}
