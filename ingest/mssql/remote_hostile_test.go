package mssql_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

// imposter is a process that a hostile server has taken over: it answers what a test says.
type imposter struct {
	server *http.Server
	conns  chan net.Conn
	ended  chan struct{}
	once   sync.Once
}

func startImposter(h http.HandlerFunc) (mssql.Process, error) {
	p := &imposter{server: &http.Server{Handler: h}, conns: make(chan net.Conn), ended: make(chan struct{})}
	go p.server.Serve(p)
	return p, nil
}

func (p *imposter) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *imposter) Close() error { return nil }

func (p *imposter) Addr() net.Addr { return &net.UnixAddr{} }

func (p *imposter) Dial(context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *imposter) Ended() <-chan struct{} { return p.ended }

func (p *imposter) Why() (reason, words string) { return "by the test\x1b[2J", "words" }

func (p *imposter) Kill() {
	p.once.Do(func() {
		close(p.ended)
		p.server.Close()
	})
}

const good = `"State":{"Serial":1,"Level":"read committed","Note":"n","Sessions":3,"Snapshots":0}}`

func frame(kind byte, stated uint32, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, stated)) + body
}

func whole(kind byte, body string) string { return frame(kind, uint32(len(body)), body) }

// writeEndless writes until nobody listens.
func writeEndless(w io.Writer, text string) {
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// TestAProcessThatIsNotOurs answers what no process of ours would.
func TestAProcessThatIsNotOurs(t *testing.T) {
	t.Parallel()
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
	}
	end := whole('e', `{"Result":{"Rows":1},`+good)
	for name, test := range map[string]struct {
		path   string
		answer http.HandlerFunc
		lost   bool
	}{
		"as it should be":           {"/read", text(whole('r', "a\n1\n") + whole('n', "1") + end), false},
		"no last frame":             {"/read", text(whole('r', "a\n1\n")), true},
		"nothing":                   {"/read", text(""), true},
		"half a frame":              {"/read", text(frame('r', 1<<31, "a\n1\n")), true},
		"half a head":               {"/read", text("r\x00"), true},
		"an unknown frame":          {"/read", text(whole('x', "a") + end), true},
		"after the last frame":      {"/read", text(end + "x"), true},
		"a last frame of 4 GB":      {"/read", text(frame('e', 1<<32-1, "{")), true},
		"a last frame of 16 MB":     {"/read", text(frame('e', 16<<20, "{")), true},
		"a count that is none":      {"/read", text(whole('n', "-1") + end), true},
		"a long count":              {"/read", text(whole('n', strings.Repeat("1", 1000)) + end), true},
		"no JSON":                   {"/read", text(whole('e', "gob")), true},
		"a number of rows below 0":  {"/read", text(whole('e', `{"Result":{"Rows":-1},`+good)), true},
		"a long key":                {"/read", text(whole('e', `{"Result":{"Last":"`+strings.Repeat("k", 100_000)+`"},`+good)), true},
		"too many sessions":         {"/read", text(whole('e', strings.Replace(`{"Result":{},`+good, ":3,", ":300000,", 1))), true},
		"an isolation that is none": {"/read", text(whole('e', strings.Replace(`{"Result":{},`+good, "read committed", "<b>", 1))), true},
		"another status":            {"/read", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }, true},
		"a redirect": {"/read", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusTemporaryRedirect)
		}, true},
		"a large header": {"/read", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			io.WriteString(w, end)
		}, true},
		"a survey without end": {"/survey", func(w http.ResponseWriter, _ *http.Request) {
			writeEndless(w, `{"Result":{"Relations":[{},{},{},{},{}`)
		}, true},
		"a survey of many objects": {"/survey", text(`{"Result":{"Relations":[{}` + strings.Repeat(",{}", 5_000_000) + `]},` + good), true},
		"a survey of 6000 tables":  {"/survey", text(`{"Result":{"Relations":[{}` + strings.Repeat(",{}", 5999) + `]},` + good), true},
		"no survey":                {"/survey", text(`{"Result":null,` + good), true},
		"a deep survey":            {"/survey", text(strings.Repeat("[", 1<<20)), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := func(context.Context) (mssql.Process, error) {
				return startImposter(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					switch r.URL.Path {
					case test.path:
						test.answer(w, r)
					default:
						io.WriteString(w, `{"Result":{},`+good)
					}
				})
			}
			conn := site{connection: "Server=127.0.0.1;Database=d;User Id=u;Password=p-of-test"}
			r, err := mssql.OpenRemote(t.Context(), start, conn.connection, conn.config(t), mssql.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if test.path == "/survey" {
				_, err = r.Survey(t.Context())
			} else {
				_, err = r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "x"}, io.Discard, nil)
			}
			runtime.ReadMemStats(&after)
			if mssql.IsLost(err) != test.lost || test.lost != (err != nil) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("%q", err)
			}
			if grown := int64(after.Sys) - int64(before.Sys); grown > 512<<20 {
				t.Errorf("it took %d MiB", grown>>20)
			}
		})
	}
}

// TestAnErrorOfAProcessIsBounded is about what a process may say.
func TestAnErrorOfAProcessIsBounded(t *testing.T) {
	t.Parallel()
	start := func(context.Context) (mssql.Process, error) {
		return startImposter(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"Error":{"Kind":200,"Op":"x\u001b[2J","Message":"`+strings.Repeat("y", 1<<20)+`","Hint":"\u202e"}}`)
		})
	}
	conn := site{connection: "Server=127.0.0.1;Database=d;User Id=u;Password=p-of-test"}
	_, err := mssql.OpenRemote(t.Context(), start, conn.connection, conn.config(t), mssql.Options{})
	if err == nil || ingest.KindOf(err) != ingest.Internal || len(err.Error()) > 5000 || strings.ContainsAny(err.Error()+ingest.HintOf(err), "\x1b\u202e") {
		t.Errorf("%v, %.100q", ingest.KindOf(err), err)
	}
}

func TestNoProcessIsNotTheDatabasesFault(t *testing.T) {
	t.Parallel()
	broken := errors.New("no more processes")
	start := func(context.Context) (mssql.Process, error) { return nil, broken }
	conn := site{connection: "Server=127.0.0.1;Database=d;User Id=u;Password=p-of-test"}
	_, err := mssql.OpenRemote(t.Context(), start, conn.connection, conn.config(t), mssql.Options{})
	if !errors.Is(err, mssql.ErrNoProcess) || !errors.Is(err, broken) || ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := func(context.Context) (mssql.Process, error) {
		return startImposter(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
	}
	if _, err = mssql.OpenRemote(ctx, silent, conn.connection, conn.config(t), mssql.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a process that keeps silent: %v", err)
	}
}
