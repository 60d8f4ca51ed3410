package mssql

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"

	"dropline/ingest"
)

// Process is a process in which Serve runs. Its methods may be called at once.
type Process interface {
	// Dial returns a connection to the listener of Serve. What is not taken within seconds is an error.
	Dial(ctx context.Context) (net.Conn, error)
	// Ended is closed when the process has ended and is cleared away.
	Ended() <-chan struct{}
	// Why says, once it has ended, what ended it, for clients, and its last words, for the log. These may be anything.
	Why() (reason, words string)
	// Kill ends the process, if that is still to be done, and returns when it has ended.
	Kill()
}

// StartProcess starts a process to read one database in. The context is for the start, not for the process's life.
type StartProcess func(ctx context.Context) (Process, error)

// ErrNoProcess is in the chain of errors of a process that did not start, which are ours and not of the database.
var ErrNoProcess = errors.New("no process can be started to read the database in")

// mostEnds is how many processes of a Remote may end by themselves until it starts no more.
const mostEnds = 5

// Remote reads a database in a process of its own, with the methods of Client and what they promise: the driver believes lengths
// that a server states, and running out of memory ends a process. A process that ends makes what was being done fail with an
// error for which IsLost is true, and the next call starts another, with a new snapshot, until mostEnds have ended.
type Remote struct {
	start   StartProcess
	conn    *Connection
	order   order
	options Options
	logger  *slog.Logger
	turn    chan struct{} // whoever has its one element may start a process

	mu     sync.Mutex
	closed bool
	peer   *peer // nil: none is there
	state  state
	before int // snapshots of processes that ended
	ends   int
	mark   string // of the first snapshot
}

// OpenRemote starts a process and opens the database there, with errors as those of Parse, Config.Connector and Open, and
// besides ErrNoProcess. Of configuration and options, Clock and Resolver are the process's own. It is not for the client's own site.
func OpenRemote(ctx context.Context, start StartProcess, text string, cfg Config, o Options) (*Remote, error) {
	conn, err := Parse(text, false)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, ingest.E(ingest.Invalid, "mssql.Open", err)
	}
	if cfg.Policy.Local || cfg.Resolver != nil {
		return nil, ingest.Errorf(ingest.Internal, "mssql.OpenRemote", "a policy or resolver of the client's own site does not hold in another process")
	}
	if err := cfg.Policy.CheckServer(conn); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	r := &Remote{
		start: start, conn: conn, options: o, logger: cfg.Logger, turn: make(chan struct{}, 1),
		order: orderOf(text, cfg, o),
	}
	r.turn <- struct{}{}
	if _, err := r.reach(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Sessions is Client.Sessions.
func (r *Remote) Sessions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Sessions
}

// Snapshots is Client.Snapshots, of all processes.
func (r *Remote) Snapshots() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.before + r.state.Snapshots
}

// PartRows is Client.PartRows.
func (r *Remote) PartRows() int64 { return r.options.PartRows }

// Isolation is Client.Isolation.
func (r *Remote) Isolation() (level, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Level, r.state.Note
}

// Survey is Client.Survey. Where not all relations are wanted, the catalogue is read twice: for the names, and for those wanted.
func (r *Remote) Survey(ctx context.Context) (*Survey, error) {
	var o surveyOrder
	if r.options.Wanted != nil {
		listed, err := ask[surveyOrder, *Survey](ctx, r, pathSurvey, o, (*Survey).usable)
		if err != nil {
			return nil, err
		}
		for i := range listed.Relations {
			if n := &listed.Relations[i]; r.options.Wanted(n.Schema, n.Name) {
				o.Wanted = append(o.Wanted, name{n.Schema, n.Name})
			}
		}
	}
	return ask[surveyOrder, *Survey](ctx, r, pathSurvey, o, (*Survey).usable)
}

// Describe is Client.Describe.
func (r *Remote) Describe(ctx context.Context, query string) ([]Column, error) {
	return ask(ctx, r, pathDescribe, query, func(c []Column) bool { return len(c) <= mostColumns })
}

// Find is Client.Find.
func (r *Remote) Find(ctx context.Context, schema, relation string) (Relation, bool, error) {
	f, err := ask(ctx, r, pathFind, name{schema, relation}, func(f found) bool { return len(f.Relation.Columns) <= mostColumns })
	return f.Relation, f.There, err
}

// HighMark is Client.HighMark. That of the first snapshot holds for later processes as well.
func (r *Remote) HighMark(ctx context.Context) (string, error) {
	r.mu.Lock()
	known := r.mark
	r.mu.Unlock()
	if known != "" {
		return known, nil
	}
	mark, err := ask(ctx, r, pathMark, nothing{}, func(mark string) bool { return len(mark) <= mostMark })
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.state.Level == levelSnapshot {
		r.mark = mark
	}
	return mark, err
}

// Close stops what is being read, waits up to five seconds for the server to be told, and ends the process.
func (r *Remote) Close() error {
	r.mu.Lock()
	p := r.peer
	already := r.closed
	r.closed, r.peer = true, nil
	r.mu.Unlock()
	if p == nil || already {
		return nil
	}
	p.close()
	return nil
}

// take notes what a process says of itself. It returns false for what none of ours would.
func (r *Remote) take(p *peer, s state) bool {
	if s.Serial == 0 {
		return true // of a process in which nothing is open
	}
	if !s.usable() {
		return false
	}
	s.Note = clean(s.Note, mostText)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Serial > p.serial {
		p.serial = s.Serial
		p.snapshots = s.Snapshots
		if r.peer == p || r.peer == nil && !p.buried {
			r.state = s
		}
	}
	return true
}

// notedPart makes what a process says of a part fit for people.
func notedPart(res PartResult) PartResult {
	res.Notes = slices.Clone(res.Notes)
	for i := range res.Notes {
		res.Notes[i] = clean(res.Notes[i], mostText)
	}
	return res
}
