package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
)

// source stores a source of acme's whose connection string is sealed as the given bytes.
func (w *world) source(name, sealed string) ingest.Source {
	w.t.Helper()
	s, err := w.AddSource(w.t.Context(), ingest.Source{
		ID: ingest.NewSourceID(), Tenant: acme, Name: name, Server: "db1", Database: "sales", Sealed: []byte(sealed), CreatedBy: "me",
	})
	w.must(err)
	return s
}

func TestSources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	given := ingest.Source{
		ID: ingest.NewSourceID(), Tenant: acme, Name: "Büro 1", Server: "db1,1433", Database: "sales", Sealed: []byte("sealed"),
		Isolation: "snapshot", CreatedBy: "me",
	}
	made, err := w.AddSource(ctx, given)
	w.must(err)
	given.CreatedAt, given.ChangedAt = w.clock.Now(), w.clock.Now()
	same(t, "made", made, given)
	got, err := w.Source(ctx, acme, made.ID)
	w.must(err)
	same(t, "read", got, given)

	_, err = w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: acme, Name: "Büro 1", Sealed: []byte("x")})
	w.want(err, ingest.Conflict)
	if !strings.Contains(ingest.MessageOf(err), `"Büro 1"`) || ingest.HintOf(err) == "" {
		t.Errorf("a name that is taken: %v", err)
	}
	_, err = w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: globex, Name: "Büro 1", Sealed: []byte("x")})
	w.must(err) // of another tenant
	_, err = w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: "nobody", Name: "x", Sealed: []byte("x")})
	w.want(err, ingest.NotFound)
	_, err = w.AddSource(ctx, ingest.Source{ID: made.ID, Tenant: acme, Name: "another", Sealed: []byte("x")})
	if ingest.KindOf(err) != ingest.Conflict || strings.Contains(err.Error(), "another") {
		t.Errorf("an id used twice: %v, want a Conflict that does not blame the name", err)
	}
	first := w.source("A", "x")
	list, err := w.ListSources(ctx, acme)
	w.must(err)
	same(t, "list", list, []ingest.Source{first, given})

	w.must(w.RemoveSource(ctx, acme, first.ID))
	w.want(w.RemoveSource(ctx, acme, first.ID), ingest.NotFound)
	_, err = w.Source(ctx, acme, first.ID)
	w.want(err, ingest.NotFound)
	w.source("A", "x") // the name is free again
}

func TestSourcesOutOfBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	kept := w.source("kept", "x")
	long := strings.Repeat("ü", ingest.MaxSourceName)
	for _, name := range []string{"", " ", "a ", "\ta", "a\nb", "a\x00b", "a\u009bb", "a\xff", long + "ü"} {
		_, err := w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: acme, Name: name, Sealed: []byte("x")})
		w.want(err, ingest.Invalid)
		_, err = w.ChangeSource(ctx, acme, kept.ID, ingest.SourceChange{Name: &name})
		w.want(err, ingest.Invalid)
	}
	w.source(long, "x")
	isolation := "serializable"
	_, err := w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: acme, Name: "i", Sealed: []byte("x"), Isolation: isolation})
	w.want(err, ingest.Invalid)
	_, err = w.ChangeSource(ctx, acme, kept.ID, ingest.SourceChange{Isolation: &isolation})
	w.want(err, ingest.Invalid)
	got, err := w.Source(ctx, acme, kept.ID)
	w.must(err)
	same(t, "after what was refused", got, kept)

	s, err := w.AddSource(ctx, ingest.Source{
		ID: ingest.NewSourceID(), Tenant: acme, Name: "hostile", Server: "a\x00\xff" + strings.Repeat("ü", ingest.MaxServerName), Sealed: []byte("x"),
	})
	w.must(err)
	if len(s.Server) > ingest.MaxServerName || !strings.HasPrefix(s.Server, "a\uFFFD\uFFFDü") {
		t.Errorf("the server's name is %d bytes: %.20q", len(s.Server), s.Server)
	}
	got, err = w.Source(ctx, acme, s.ID)
	w.must(err)
	same(t, "what was returned is what is kept", got, s)
	for _, bad := range []ingest.Source{
		{Tenant: acme, Name: "no id", Sealed: []byte("x")}, {ID: ingest.NewSourceID(), Tenant: acme, Name: "no secret"},
	} {
		_, err := w.AddSource(ctx, bad)
		w.want(err, ingest.Internal)
	}
}

func TestSourcesAreBoundedInNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range ingest.MaxSources - 2 {
		w.source(fmt.Sprint(i), "x")
	}
	errs := make([]error, 6) // at once, for two places
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = w.AddSource(t.Context(), ingest.Source{
				ID: ingest.NewSourceID(), Tenant: acme, Name: fmt.Sprint("at once ", i), Sealed: []byte("x"),
			})
		})
	}
	all.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			w.want(err, ingest.Conflict)
			refused++
		}
	}
	same(t, "refused", refused, 4)
	_, err := w.AddSource(t.Context(), ingest.Source{ID: ingest.NewSourceID(), Tenant: globex, Name: "x", Sealed: []byte("x")})
	w.must(err)
}

func TestChangeSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s, other := w.source("one", "sealed"), w.source("two", "x")
	w.clock.advance(time.Minute)
	name, isolation := "uno", "read_committed"
	got, err := w.ChangeSource(ctx, acme, s.ID, ingest.SourceChange{Name: &name, Isolation: &isolation, Server: "ignored"})
	w.must(err)
	want := s
	want.Name, want.Isolation, want.ChangedAt = name, isolation, w.clock.Now()
	same(t, "without a new connection", got, want)
	got, err = w.ChangeSource(ctx, acme, s.ID, ingest.SourceChange{Sealed: []byte("new"), Server: "db2", Database: "hr"})
	w.must(err)
	want.Sealed, want.Server, want.Database = []byte("new"), "db2", "hr"
	same(t, "with a new connection", got, want)
	read, err := w.Source(ctx, acme, s.ID)
	w.must(err)
	same(t, "read", read, want)
	_, err = w.ChangeSource(ctx, acme, s.ID, ingest.SourceChange{Name: &other.Name})
	w.want(err, ingest.Conflict)
	_, err = w.ChangeSource(ctx, acme, ingest.NewSourceID(), ingest.SourceChange{})
	w.want(err, ingest.NotFound)
}

func TestLatestImportOfASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, idle := w.source("one", "x"), w.source("two", "x")
	w.requestFrom(s.ID)
	last := w.requestFrom(s.ID)
	w.requestPosted("sealed")
	list, err := w.ListSources(t.Context(), acme)
	w.must(err)
	same(t, "latest imports", []ingest.ImportID{list[0].LastID, list[1].LastID}, []ingest.ImportID{last.ID, ""})
	changed, err := w.ChangeSource(t.Context(), acme, s.ID, ingest.SourceChange{})
	w.must(err)
	same(t, "after a change", changed.LastID, last.ID)
	same(t, "of one without imports", idle.LastID, "")
}
