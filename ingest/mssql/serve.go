package mssql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dropline/ingest"
)

const (
	// closePatience is how long reads that were stopped may take to tell the server so.
	closePatience = 5 * time.Second
	// headerPatience is for a request's header, which comes from the other side of a socket.
	headerPatience = time.Minute
)

// Serve reads one database for the Remote at the other end of the listener: it is what the process does that a StartProcess
// starts. It returns nil when the Remote was closed, and an error once the listener has ended, or after a panic: what the
// client holds is then not to be trusted any more, and the process must end.
func Serve(l net.Listener) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &service{stop: make(chan struct{})}
	server := &http.Server{
		Handler: s, BaseContext: func(net.Listener) context.Context { return ctx }, ReadHeaderTimeout: headerPatience,
		ErrorLog: log.New(io.Discard, "", 0), // what a panic says may be a client's
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("whom the database is read for is gone: %w", err)
	case <-s.stop:
	}
	cancel() // reads that go on are stopped, and the server told
	within, done := context.WithTimeout(context.Background(), closePatience)
	defer done()
	_ = server.Shutdown(within) // what has not ended ends with the process
	if client := s.client.Load(); client != nil && s.failure == nil {
		_ = client.Close()
	}
	return s.failure
}

// service answers a Remote. There is one client, from the first order on.
type service struct {
	stop    chan struct{} // closed when the service is to end
	once    sync.Once
	failure error // set before stop is closed

	opening   sync.Mutex
	client    atomic.Pointer[Client]
	surveying sync.Mutex
	wanted    func(schema, name string) bool // guarded by surveying

	telling sync.Mutex
	serial  uint64
}

// end makes Serve return, once.
func (s *service) end(err error) {
	s.once.Do(func() {
		s.failure = err
		close(s.stop)
	})
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil { // the client may hold locks that nobody will give back
			s.end(fmt.Errorf("panic: %v", p))
			panic(http.ErrAbortHandler)
		}
	}()
	switch r.URL.Path {
	case pathOpen:
		answerWith(s, w, r, s.open)
	case pathSurvey:
		answerWith(s, w, r, s.survey)
	case pathFind:
		answerWith(s, w, r, s.find)
	case pathDescribe:
		answerWith(s, w, r, func(ctx context.Context, query string) ([]Column, error) {
			return with(s, func(c *Client) ([]Column, error) { return c.Describe(ctx, query) })
		})
	case pathMark:
		answerWith(s, w, r, func(ctx context.Context, _ nothing) (string, error) {
			return with(s, func(c *Client) (string, error) { return c.HighMark(ctx) })
		})
	case pathRead:
		s.read(w, r)
	case pathClose:
		answerWith(s, w, r, func(context.Context, nothing) (nothing, error) { return nothing{}, nil })
		s.end(nil)
	default:
		http.NotFound(w, r)
	}
}

// answerWith takes an order, does it and answers.
func answerWith[In, Out any](s *service, w http.ResponseWriter, r *http.Request, do func(context.Context, In) (Out, error)) {
	var in In
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, "an order that is none", http.StatusBadRequest)
		return
	}
	out, err := do(r.Context(), in)
	_ = json.NewEncoder(w).Encode(answerOf(s, out, err)) // who does not take it will not miss it
}

func answerOf[T any](s *service, result T, err error) answer[T] {
	return answer[T]{Result: result, Error: crossing(err), State: s.state()}
}

// state is what the Remote's getters return. Later ones have higher numbers.
func (s *service) state() state {
	c := s.client.Load()
	if c == nil {
		return state{}
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	s.serial++
	st := state{Serial: s.serial, Sessions: c.Sessions(), Snapshots: c.Snapshots()}
	st.Level, st.Note = c.Isolation()
	return st
}

func with[T any](s *service, do func(*Client) (T, error)) (out T, err error) {
	c := s.client.Load()
	if c == nil {
		return out, ingest.Errorf(ingest.Internal, "mssql.Serve", "nothing is open")
	}
	return do(c)
}

func (s *service) open(ctx context.Context, o order) (nothing, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.client.Load() != nil {
		return nothing{}, ingest.Errorf(ingest.Internal, "mssql.Serve", "a process reads one database")
	}
	conn, err := Parse(o.Connection, false)
	if err != nil {
		return nothing{}, err
	}
	connector, err := o.config().Connector(conn)
	if err != nil {
		return nothing{}, err
	}
	options := o.options()
	if o.Chooses {
		options.Wanted = func(schema, name string) bool { return s.wanted(schema, name) }
	}
	c, err := Open(ctx, connector, conn, options)
	if err != nil {
		return nothing{}, err
	}
	s.client.Store(c)
	return nothing{}, nil
}

func (s *service) survey(ctx context.Context, o surveyOrder) (*Survey, error) {
	s.surveying.Lock()
	defer s.surveying.Unlock()
	chosen := make(map[name]bool, len(o.Wanted))
	for _, n := range o.Wanted {
		chosen[n] = true
	}
	s.wanted = func(schema, relation string) bool { return chosen[name{schema, relation}] }
	return with(s, func(c *Client) (*Survey, error) { return c.Survey(ctx) })
}

func (s *service) find(ctx context.Context, n name) (found, error) {
	return with(s, func(c *Client) (f found, err error) {
		f.Relation, f.There, err = c.Find(ctx, n.Schema, n.Name)
		return f, err
	})
}

// crossing is an error as it crosses to the Remote; nil stays nil.
func crossing(err error) *remoteError {
	if err == nil {
		return nil
	}
	e := &remoteError{
		Kind: ingest.KindOf(err), Message: ingest.MessageOf(err), Hint: ingest.HintOf(err), Late: errors.Is(err, context.DeadlineExceeded),
	}
	var known *ingest.Error
	if errors.As(err, &known) {
		e.Op = known.Op
	}
	// What is passing for IsLost and not for KindOf, or the other way about, there is none: both ask the outermost.
	return e
}

// frames writes the answer to a read: rows as they come, and what became of them in the last frame.
type frames struct {
	w     http.ResponseWriter
	flush func() error
	head  [frameHead]byte
}

// Write sends rows.
func (f *frames) Write(p []byte) (int, error) {
	total := len(p)
	for part := range slices.Chunk(p, mostFrame) {
		if err := f.send(frameRows, part); err != nil {
			return 0, err
		}
	}
	return total, f.flush()
}

func (f *frames) send(kind byte, p []byte) error {
	putFrameHead(&f.head, kind, len(p))
	if _, err := f.w.Write(f.head[:]); err != nil {
		return err
	}
	_, err := f.w.Write(p)
	return err
}

// progress tells how many rows there were so far. An error will show at the next rows.
func (f *frames) progress(rows int64) {
	text := fmt.Appendf(nil, "%d", rows)
	if f.send(frameCount, text) == nil {
		_ = f.flush()
	}
}

func (s *service) read(w http.ResponseWriter, r *http.Request) {
	var in readOrder
	c := s.client.Load()
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || c == nil {
		http.Error(w, "an order that is none", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &frames{w: w, flush: http.NewResponseController(w).Flush}
	var progress func(int64)
	if in.Progress {
		progress = out.progress
	}
	res, err := c.Read(r.Context(), in.Part, out, progress)
	end, err := json.Marshal(answerOf(s, res, err))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = out.send(frameEnd, end) // who does not take it knows that the rows have no end
}
