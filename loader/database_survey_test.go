package loader_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/tdstest"
	"dropline/mapping"
)

// A server that goes away while it is asked what it has, and is not there again at once.
func TestASurveyThatBreaksIsMadeAgain(t *testing.T) {
	t.Parallel()
	const rows = 100
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, true)})
	p.server.SetFaults(tdstest.Faults{DropAfterRows: 1, DropTable: "sys.tables"})
	p.by = p.without(2)
	p.work()
	p.each(p.until(p.post(ingest.DatabaseOptions{}), "ended", func(i ingest.Import) bool { return !i.State.Running() }), rows)
}

// sealed is the connection string as the ledger keeps it.
func (p *practice) sealed(id string) []byte {
	p.Helper()
	text := p.server.ConnectionString()
	if p.by != "" {
		text = strings.Replace(text, fmt.Sprintf(",%d;", p.server.Port()), ","+p.by+";", 1)
	}
	plain, err := json.Marshal(ingest.DatabaseSecret{ConnectionString: text})
	p.must(err)
	sealed, err := p.keyring.Seal(p.Context(), plain, ingest.SealedFor(acme, id))
	p.must(err)
	return sealed
}

// without is a port that leads to the server, but for one connection, which is closed at once.
func (p *practice) without(number int) string {
	p.Helper()
	l, err := (&net.ListenConfig{}).Listen(p.Context(), "tcp", "127.0.0.1:0")
	p.must(err)
	p.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			client, err := l.Accept()
			if err != nil {
				return
			}
			if n == number {
				client.Close()
				continue
			}
			server, err := net.DialTimeout("tcp", p.server.Addr().String(), 10*time.Second)
			if err != nil {
				client.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					way[0].Close()
					way[1].Close()
				}()
			}
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// What a server says over a relation seldom says over which.
func TestADryRunThatBreaksNamesTheRelation(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 10, true)})
	p.server.SetFaults(tdstest.Faults{
		ErrorAfterRows: 1, ErrorTimes: 1000, ErrorTable: "TaskType",
		RowError: &tdstest.Error{Number: 8115, Class: 16, Message: "Arithmetic overflow error."},
	})
	_, err := p.dryRun()
	if err == nil || !strings.Contains(err.Error(), "dbo.TaskType: ") || !strings.Contains(err.Error(), "overflow") {
		t.Errorf("%v", err)
	}
	if ingest.HintOf(err) == "" || ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("%v: %q", ingest.KindOf(err), ingest.HintOf(err))
	}
}

func (p *practice) dryRun() (*ingest.DryRun, error) {
	p.Helper()
	s, _ := newCatalogue().Lookup(ingest.DefaultSchema)
	mapper, err := mapping.New(s, nil, mapping.Options{Location: time.UTC})
	p.must(err)
	return p.databases.DryRun(p.Context(), ingest.DatabaseSecret{ConnectionString: p.server.ConnectionString()}, ingest.DatabaseOptions{}, s, mapper)
}

// Nobody sends files of a database.
func TestADatabaseWithTooManyRefusedRowsIsImportedAgain(t *testing.T) {
	t.Parallel()
	tables := notes(t, 10, true)
	name := slices.IndexFunc(tables[0].Columns, func(c tdstest.Column) bool { return c.Name == "Name" })
	tables[0].Columns[name].NotNull = false
	generate := tables[0].Generate
	tables[0].Generate = func(i int, dst []any) {
		generate(i, dst)
		dst[name] = nil
	}
	p := newPractice(t, 0.1, tdstest.Options{Tables: tables})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Rejected)
	if imp.Rejected != 10 || !strings.Contains(imp.Hint, "import again") {
		t.Errorf("%d rejected; hint: %s", imp.Rejected, imp.Hint)
	}
}
