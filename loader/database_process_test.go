package loader_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/internal/tdstest"
	"dropline/mapping"
)

// TestMain lets the test binary be the process in which a database is read.
func TestMain(m *testing.M) {
	if dbchild.RunChild() {
		return
	}
	os.Exit(m.Run())
}

// processes keeps those that were started.
type processes struct {
	starter dbchild.Starter
	mu      sync.Mutex
	all     []mssql.Process
}

func (s *processes) start(ctx context.Context) (mssql.Process, error) {
	p, err := s.starter.Start(ctx)
	if err == nil {
		s.mu.Lock()
		s.all = append(s.all, p)
		s.mu.Unlock()
	}
	return p, err
}

func (s *processes) list() []mssql.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mssql.Process(nil), s.all...)
}

// checkGone checks that all have ended.
func (s *processes) checkGone(t *testing.T) {
	t.Helper()
	for i, p := range s.list() {
		select {
		case <-p.Ended():
		case <-time.After(10 * time.Second):
			t.Errorf("the process %d is there", i)
		}
	}
}

// hostile is a server whose login answer makes the driver ask for 51 GB.
func hostile(t *testing.T) (connection string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	token := binary.LittleEndian.AppendUint32([]byte{0xee}, 1<<31)
	token = binary.LittleEndian.AppendUint32(token, 1<<32-1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				for _, answer := range [][]byte{{1, 0, 6, 0, 1, 0xff, 2}, token} {
					var head [8]byte
					if _, err := io.ReadFull(conn, head[:]); err != nil {
						return
					}
					if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint16(head[2:]))-8); err != nil {
						return
					}
					_, _ = conn.Write(append([]byte{4, 1, 0, byte(8 + len(answer)), 0, 0, 1, 0}, answer...))
				}
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return fmt.Sprintf("Server=127.0.0.1,%d;Database=practice;User Id=reader;Password=secret-of-test;Encrypt=False", l.Addr().(*net.TCPAddr).Port)
}

// postTo asks for an import from another server.
func (p *practice) postTo(connection string) ingest.ImportID {
	p.Helper()
	id := ingest.NewImportID()
	plain, err := json.Marshal(ingest.DatabaseSecret{ConnectionString: connection})
	p.must(err)
	sealed, err := p.keyring.Seal(p.Context(), plain, ingest.SealedFor(acme, string(id)))
	p.must(err)
	_, err = p.ledger.RequestImport(p.Context(), acme, id, ingest.Database{Server: "sql", Name: "practice", Sealed: sealed}, "test")
	p.must(err)
	return id
}

// A server can end the process that reads it, and that is all: its import fails, and others go on.
func TestAHostileServerEndsNoWorker(t *testing.T) {
	t.Parallel()
	const rows = 1000
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, true)})
	var s processes
	p.databases.Start = s.start
	connection := hostile(t)
	p.work()
	imp := p.untilState(p.postTo(connection), ingest.Failed)
	if !strings.Contains(imp.Error, "the process that read the database ended: it ran out of the memory") || imp.Hint == "" || imp.Attempt != 1 {
		t.Errorf("attempt %d failed with %s; hint: %s", imp.Attempt, imp.Error, imp.Hint)
	}
	if strings.Contains(imp.Error+imp.Hint, "secret-of-test") {
		t.Error("the password is in the error")
	}
	p.each(p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged), rows)
	s.checkGone(t)

	schema, _ := newCatalogue().Lookup(ingest.DefaultSchema)
	mapper, err := mapping.New(schema, nil, mapping.Options{Location: time.UTC})
	p.must(err)
	_, err = p.databases.DryRun(t.Context(), ingest.DatabaseSecret{ConnectionString: connection}, ingest.DatabaseOptions{}, schema, mapper)
	source, ok := err.(interface{ OfSource() bool })
	if !ok || !source.OfSource() || !strings.Contains(err.Error(), "the process that read the database ended") {
		t.Errorf("the dry run: %v", err)
	}
	found, err := p.databases.DryRun(t.Context(), ingest.DatabaseSecret{ConnectionString: p.server.ConnectionString()}, ingest.DatabaseOptions{}, schema, mapper)
	p.must(err)
	if len(found.Samples) != 1 || found.Samples[0].Read == 0 {
		t.Errorf("the dry run found %+v", found)
	}
	s.checkGone(t)
}

func TestAKilledProcessIsGoneOnWithout(t *testing.T) {
	t.Parallel()
	for name, keyed := range map[string]bool{"in parts": true, "as a whole": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rows = 30_000
			stalled := make(chan struct{}, 10)
			p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, keyed), Snapshot: true, Log: func(e tdstest.Event) {
				if e.Kind == "fault" {
					stalled <- struct{}{}
				}
			}})
			var s processes
			p.databases.Start, p.databases.PartRows = s.start, 8_000
			p.server.SetFaults(tdstest.Faults{StallAfterRows: 11_000, StallTimes: 1, StallFor: time.Minute, StallTable: "TaskType"})
			p.work()
			id := p.post(ingest.DatabaseOptions{})
			<-stalled
			s.list()[0].Kill()
			imp := p.untilState(id, ingest.Staged)
			p.each(imp, rows)
			if n := len(s.list()); n != 2 || imp.Database.Snapshots != 2 || imp.Attempt != 1 {
				t.Errorf("%d processes, %d snapshots, attempt %d", n, imp.Database.Snapshots, imp.Attempt)
			}
			s.checkGone(t)
		})
	}
}

func TestNoProcessLeavesTheImportToTheNextAttempt(t *testing.T) {
	t.Parallel()
	const rows = 100
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, true)})
	var s processes
	refuse := make(chan struct{}, 1)
	refuse <- struct{}{}
	p.databases.Start = func(ctx context.Context) (mssql.Process, error) {
		select {
		case <-refuse:
			return nil, fmt.Errorf("fork: %w", os.ErrPermission)
		default:
			return s.start(ctx)
		}
	}
	p.work()
	p.each(p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged), rows)
}
