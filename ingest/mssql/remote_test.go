package mssql_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/internal/tdstest"
)

// TestMain lets the test binary be the process in which a database is read.
func TestMain(m *testing.M) {
	if dbchild.RunChild() {
		return
	}
	os.Exit(m.Run())
}

// starts are the processes of a Remote.
type starts struct {
	starter dbchild.Starter
	mu      sync.Mutex
	pids    []int
}

func (s *starts) start(ctx context.Context) (mssql.Process, error) {
	p, err := s.starter.Start(ctx)
	if err == nil {
		s.mu.Lock()
		s.pids = append(s.pids, p.(interface{ PID() int }).PID())
		s.mu.Unlock()
	}
	return p, err
}

func (s *starts) all() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.pids...)
}

func (s *starts) kill(t *testing.T) {
	pids := s.all()
	if err := syscall.Kill(pids[len(pids)-1], syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

func openRemote(t *testing.T, at site, s *starts, o mssql.Options) *mssql.Remote {
	t.Helper()
	r, err := mssql.OpenRemote(t.Context(), s.start, at.connection, at.config(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// claimsMuch is a login answer in which a server says that 2³² entries follow: the driver makes room for them, 51 GB.
func claimsMuch() []byte {
	token := binary.LittleEndian.AppendUint32([]byte{0xee}, 1<<31)
	return message(binary.LittleEndian.AppendUint32(token, 1<<32-1))
}

// TestAHostileServerEndsOnlyTheProcess is what all of this is for.
func TestAHostileServerEndsOnlyTheProcess(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.1", nil, prelogin(2), claimsMuch())
	var log strings.Builder
	at := site{connection: fmt.Sprintf("Server=127.0.0.1,%d;Database=practice;User Id=reader;Password=secret-of-test;Encrypt=False", f.addr.Port())}
	cfg := at.config(t)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var s starts
	began := time.Now()
	_, err := mssql.OpenRemote(t.Context(), s.start, at.connection, cfg, mssql.Options{})
	runtime.ReadMemStats(&after)
	if !mssql.IsLost(err) || !strings.Contains(ingest.MessageOf(err), "the process that read the database ended: it ran out of the memory") || ingest.HintOf(err) == "" {
		t.Errorf("%v, hint %q", err, ingest.HintOf(err))
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
	if grown := int64(after.Sys) - int64(before.Sys); grown > 256<<20 {
		t.Errorf("this process grew by %d MiB", grown>>20)
	}
	if text := log.String(); !strings.Contains(text, "out of memory") || strings.Contains(text, "goroutine") || strings.Contains(text, "secret-of-test") {
		t.Errorf("the log has %q", text)
	}
	for _, pid := range s.all() {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("the process %d is there", pid)
		}
	}
}

// TestThePolicyHoldsInTheProcess is sent on to an address that is not allowed, of which only who dials knows.
func TestThePolicyHoldsInTheProcess(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.1", nil, prelogin(2), message(loginAck(), routing("127.0.0.2", 1433), done(0)))
	var s starts
	text := fmt.Sprintf("Server=127.0.0.1,%d;Database=practice;User Id=reader;Password=secret-of-test;Encrypt=False", f.addr.Port())
	_, err := mssql.OpenRemote(t.Context(), s.start, text, mssql.Config{Policy: allow(t, "127.0.0.1")}, mssql.Options{})
	if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), "loopback") || !strings.Contains(ingest.HintOf(err), "mssql.allow_networks") {
		t.Errorf("%v, hint %q", err, ingest.HintOf(err))
	}
	if f.accepted.Load() != 1 || len(s.all()) != 1 {
		t.Errorf("%d connections of %d processes", f.accepted.Load(), len(s.all()))
	}
	own := allow(t, "127.0.0.1")
	own.Own = []netip.Addr{netip.MustParseAddr("20.1.2.3")}
	f.answers.Store(&[][]byte{prelogin(2), message(loginAck(), routing("20.1.2.3", 1433), done(0))})
	_, err = mssql.OpenRemote(t.Context(), s.start, text, mssql.Config{Policy: own}, mssql.Options{})
	if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), "this service itself") {
		t.Errorf("to the service's own address: %v", err)
	}
	if _, err := mssql.OpenRemote(t.Context(), s.start, text, mssql.Config{}, mssql.Options{}); ingest.KindOf(err) != ingest.Denied || len(s.all()) != 2 {
		t.Errorf("what can be refused here starts a process: %v", err)
	}
	if _, err := mssql.OpenRemote(t.Context(), s.start, text, mssql.Config{Policy: mssql.Policy{Local: true}}, mssql.Options{}); ingest.KindOf(err) != ingest.Internal {
		t.Errorf("a policy of the client's site: %v", err)
	}
}

func TestAKilledProcessIsGoneOnWithout(t *testing.T) {
	t.Parallel()
	for _, snapshot := range []bool{true, false} {
		server := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 300_000)}, Snapshot: snapshot})
		var s starts
		r := openRemote(t, siteOf(server), &s, mssql.Options{})
		mark, err := r.HighMark(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		res, err := r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big", Key: "id"}, io.Discard, func(int64) { once.Do(func() { s.kill(t) }) })
		if !mssql.IsLost(err) || res.Last != "" || !strings.Contains(err.Error(), "ended: it was ended by the signal killed") {
			t.Fatalf("%+v, %v", res, err)
		}
		res, err = r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, nil)
		if err != nil || res.Rows != 300_000 || len(s.all()) != 2 {
			t.Errorf("then: %d rows, %v, %d processes", res.Rows, err, len(s.all()))
		}
		if again, err := r.HighMark(t.Context()); err != nil || snapshot && again != mark {
			t.Errorf("the bound was %s and is %s, %v", mark, again, err)
		}
		if want := map[bool]int{true: 2, false: 0}[snapshot]; r.Snapshots() != want {
			t.Errorf("%d snapshots, want %d", r.Snapshots(), want)
		}
	}
}

func TestProcessesThatKeepEndingAreGivenUp(t *testing.T) {
	t.Parallel()
	server := tdstest.Start(t, tdstest.Options{Tables: practice()})
	var s starts
	r := openRemote(t, siteOf(server), &s, mssql.Options{})
	for lost := 0; ; lost++ {
		s.kill(t)
		if _, err := r.Survey(t.Context()); !mssql.IsLost(err) {
			t.Fatal(err)
		}
		_, err := r.Survey(t.Context())
		if err == nil && lost < 10 {
			continue
		}
		if ingest.KindOf(err) != ingest.Invalid || !strings.Contains(err.Error(), "the process that read the database ended") || lost != 4 || len(s.all()) != 5 {
			t.Errorf("lost %d times, %d processes: %v", lost, len(s.all()), err)
		}
		return
	}
}

// TestReadsThatShareAProcessAllLoseIt kills the process under several reads.
func TestReadsThatShareAProcessAllLoseIt(t *testing.T) {
	t.Parallel()
	server := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 300_000)}})
	var s starts
	r := openRemote(t, siteOf(server), &s, mssql.Options{})
	var kill sync.Once
	var losses atomic.Int32
	done := make(chan error)
	for range r.Sessions() {
		go func() {
			for {
				res, err := r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, func(int64) { kill.Do(func() { s.kill(t) }) })
				if err == nil && res.Rows != 300_000 {
					err = fmt.Errorf("%d rows", res.Rows)
				}
				if !mssql.IsLost(err) {
					done <- err
					return
				}
				losses.Add(1)
			}
		}()
	}
	for range r.Sessions() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := losses.Load(); n < 1 || len(s.all()) != 2 {
		t.Errorf("%d losses, %d processes", n, len(s.all()))
	}
}

// TestCloseTellsTheServer closes what is being read.
func TestCloseTellsTheServer(t *testing.T) {
	t.Parallel()
	server := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 50_000_000)}})
	var s starts
	r := openRemote(t, siteOf(server), &s, mssql.Options{})
	var once sync.Once
	closed := make(chan struct{})
	_, err := r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big"}, io.Discard, func(int64) {
		once.Do(func() {
			go func() {
				defer close(closed)
				r.Close()
			}()
		})
	})
	if err == nil {
		t.Error("what was closed reads to the end")
	}
	<-closed
	if n := server.Attentions(); n != 1 {
		t.Errorf("the server saw %d attentions", n)
	}
	if _, err := r.Survey(t.Context()); err == nil || mssql.IsLost(err) {
		t.Errorf("what was closed answers: %v", err)
	}
	if len(s.all()) != 1 || syscall.Kill(s.all()[0], 0) == nil {
		t.Errorf("the process is there, of %d", len(s.all()))
	}
}

// TestErrorsAreTheSameInAProcess compares what people are told.
func TestErrorsAreTheSameInAProcess(t *testing.T) {
	t.Parallel()
	server := tdstest.Start(t, tdstest.Options{Tables: practice(), Denied: []string{"hr.Salary"}})
	here := siteOf(server)
	there := here
	there.remote = true
	wrong := here
	wrong.connection = strings.Replace(here.connection, "Database=practice", "Database=nowhere", 1)
	compare := func(what string, a, b error) {
		t.Helper()
		if a == nil || b == nil || ingest.KindOf(a) != ingest.KindOf(b) || ingest.HintOf(a) != ingest.HintOf(b) ||
			ingest.MessageOf(a) != ingest.MessageOf(b) || mssql.IsLost(a) != mssql.IsLost(b) || a.Error() != b.Error() {
			t.Errorf("%s:\n%v (%v, %q)\n%v (%v, %q)", what, a, ingest.KindOf(a), ingest.HintOf(a), b, ingest.KindOf(b), ingest.HintOf(b))
		}
	}
	wrongThere := wrong
	wrongThere.remote = true
	_, a := wrong.tryOpen(t, mssql.Options{})
	_, b := wrongThere.tryOpen(t, mssql.Options{})
	compare("another database", a, b)
	_, a = here.tryOpen(t, mssql.Options{Isolation: mssql.IsolationSnapshot})
	_, b = there.tryOpen(t, mssql.Options{Isolation: mssql.IsolationSnapshot})
	compare("a snapshot", a, b)
	_, a = here.tryOpen(t, mssql.Options{Sessions: 99})
	_, b = there.tryOpen(t, mssql.Options{Sessions: 99})
	compare("options", a, b)
	c, d := here.open(t, mssql.Options{}), there.open(t, mssql.Options{})
	if c.PartRows() != d.PartRows() || c.Sessions() != d.Sessions() {
		t.Errorf("%d, %d rows in parts; %d, %d sessions", c.PartRows(), d.PartRows(), c.Sessions(), d.Sessions())
	}
	for _, p := range []mssql.Part{
		{Schema: "hr", Name: "Salary"}, {Schema: "dbo", Name: "Nothing"}, {Schema: "dbo", Name: "Matter", Columns: []string{"x"}}, {}, {Query: "SELEC"},
	} {
		_, a = c.Read(t.Context(), p, io.Discard, nil)
		_, b = d.Read(t.Context(), p, io.Discard, nil)
		compare(p.String(), a, b)
	}
	_, a = c.Describe(t.Context(), "SELEC")
	_, b = d.Describe(t.Context(), "SELEC")
	compare("a query", a, b)
	server.Close()
	_, a = c.Survey(t.Context())
	_, b = d.Survey(t.Context())
	compare("a server that is gone", a, b)
}
