package mssql

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"time"

	"dropline/ingest"
)

// Paths of what a Remote asks for.
const (
	pathOpen     = "/open"
	pathSurvey   = "/survey"
	pathFind     = "/find"
	pathDescribe = "/describe"
	pathMark     = "/mark"
	pathRead     = "/read"
	pathClose    = "/close"
)

// Bounds of what is taken of a process that a hostile server may have taken over.
const (
	mostAnswer  = 16 << 20  // bytes of JSON
	mostObjects = 200_000   // in it
	mostMark    = 64 << 10  // bytes of an encoded key or mark
	mostText    = 2000      // characters of a message or a hint
	mostFrame   = 256 << 10 // bytes of rows in a frame
)

// The answer to a read is a row of frames: a byte for the kind, the length of what follows in four, and that.
const (
	frameHead  = 5
	frameRows  = 'r'
	frameCount = 'n'
	frameEnd   = 'e'
)

func putFrameHead(head *[frameHead]byte, kind byte, n int) {
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(n)) //nolint:gosec // at most mostAnswer
}

type nothing struct{}

// order is what is to be opened, and how. It holds the connection string, and so is printed nowhere.
type order struct {
	Connection     string
	Allow          []netip.Prefix
	Own            []netip.Addr
	RootCAs        []byte
	ConnectTimeout time.Duration
	IdleTimeout    time.Duration
	AppName        string
	Isolation      string
	Sessions       int
	PartRows       int64
	StallTimeout   time.Duration
	QueryTimeout   time.Duration
	MaxValueBytes  int64
	Chooses        bool // relations are looked at closely where a surveyOrder names them
}

func orderOf(text string, cfg Config, o Options) order {
	return order{
		Connection: text, Allow: cfg.Policy.Allow, Own: cfg.Policy.Own, RootCAs: cfg.RootCAs, ConnectTimeout: cfg.ConnectTimeout, IdleTimeout: cfg.IdleTimeout,
		AppName: cfg.AppName, Isolation: o.Isolation, Sessions: o.Sessions, PartRows: o.PartRows, StallTimeout: o.StallTimeout,
		QueryTimeout: o.QueryTimeout, MaxValueBytes: o.MaxValueBytes, Chooses: o.Wanted != nil,
	}
}

func (o *order) config() Config {
	return Config{
		Policy: Policy{Allow: o.Allow, Own: o.Own}, RootCAs: o.RootCAs, ConnectTimeout: o.ConnectTimeout, IdleTimeout: o.IdleTimeout, AppName: o.AppName,
	}
}

func (o *order) options() Options {
	return Options{
		Isolation: o.Isolation, Sessions: o.Sessions, PartRows: o.PartRows, StallTimeout: o.StallTimeout, QueryTimeout: o.QueryTimeout,
		MaxValueBytes: o.MaxValueBytes,
	}
}

type name struct{ Schema, Name string }

type surveyOrder struct{ Wanted []name }

type readOrder struct {
	Part     Part
	Progress bool
}

type found struct {
	Relation Relation
	There    bool
}

// state is what a client says of itself without asking the server.
type state struct {
	Serial              uint64
	Level, Note         string
	Sessions, Snapshots int
}

type answer[T any] struct {
	Result T
	Error  *remoteError
	State  state
}

// remoteError is an error on its way.
type remoteError struct {
	Kind              ingest.Kind
	Op, Message, Hint string
	Late              bool // a deadline passed
}

// here is the error as Translate would have made it, of texts that are bounded and have no control characters.
func (e *remoteError) here() error {
	if e == nil {
		return nil
	}
	out := &ingest.Error{Kind: e.Kind, Op: clean(e.Op, 60), Hint: clean(e.Hint, mostText)}
	if out.Kind > ingest.Unavailable {
		out.Kind = ingest.Internal
	}
	text := &plainError{text: clean(e.Message, mostText)}
	if e.Late {
		text.cause = context.DeadlineExceeded
	}
	out.Err = text
	return out
}

// errUnusable is an answer that no process of ours gives.
var errUnusable = errors.New("its answer cannot be used")

// decodeAnswer reads an answer of at most mostAnswer bytes and mostObjects objects: a few bytes of JSON may make a hundred.
func decodeAnswer[T any](r io.Reader) (out answer[T], err error) {
	raw, err := io.ReadAll(io.LimitReader(r, mostAnswer+1))
	if err != nil {
		return out, err
	}
	if len(raw) > mostAnswer || bytes.Count(raw, []byte{'{'}) > mostObjects || json.Unmarshal(raw, &out) != nil {
		return answer[T]{}, errUnusable
	}
	return out, nil
}

// usable tells whether a survey is within the bounds of Client.Survey.
func (s *Survey) usable() bool {
	if s == nil || len(s.Relations) > mostRelations || len(s.Notes) > mostNotes+1 {
		return false
	}
	for i := range s.Relations {
		if len(s.Relations[i].Columns) > mostColumns {
			return false
		}
	}
	return true
}

func (p *PartResult) usable() bool {
	return p.Rows >= 0 && len(p.Last) <= mostMark && len(p.MaxSince) <= mostMark && len(p.Columns) <= mostColumns && len(p.Notes) <= mostNotes
}

func (s *state) usable() bool {
	switch s.Level {
	case levelSnapshot, levelRowVersions, levelReadCommitted:
	default:
		return false
	}
	return s.Sessions >= 1 && s.Sessions <= mostSessions && s.Snapshots >= 0 && s.Snapshots < 1<<20 && len(s.Note) <= mostText
}
