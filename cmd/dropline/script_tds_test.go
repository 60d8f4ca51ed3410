//go:build linux

package main_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/tdstest"
	"dropline/schema"
)

// tdsServers are the SQL Server databases of scripts, by the directory of the script.
type tdsServers struct {
	mu  sync.Mutex
	all map[string]*tdstest.Server
}

// tds is the command of scripts that is about a client's database:
//
//	tds start                         the sample firm's, with a row version on Matter. $TDS_CONNECTION, $TDS_PASSWORD and $TDS_ROWS
//	                                  tell of it, and the files practice.txt (the connection string) and ca.pem
//	tds set TABLE COLUMN ROW VALUE    changes a value
//	tds stall                         lets every reading of WorkItem stand still in the midst of it
//	tds drop                          breaks the next connection in the midst of WorkItem
//	tds calm                          takes that back
func (d *tdsServers) tds(ts *testscript.TestScript, neg bool, args []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	work := ts.Getenv("WORK")
	switch {
	case len(args) == 1 && args[0] == "start":
		server, rows, err := startPractice()
		ts.Check(err)
		ts.Defer(server.Close)
		d.all[work] = server
		ts.Setenv("TDS_CONNECTION", server.ConnectionString())
		ts.Setenv("TDS_PASSWORD", scriptPassword)
		ts.Setenv("TDS_PORT", fmt.Sprint(server.Port()))
		ts.Setenv("TDS_ROWS", fmt.Sprint(rows))
		ts.Check(os.WriteFile(ts.MkAbs("practice.txt"), []byte(server.ConnectionString()+"\n"), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), server.CAPEM(), 0o600))
	case len(args) == 5 && args[0] == "set":
		var row int
		_, err := fmt.Sscan(args[3], &row)
		ts.Check(err)
		ts.Check(setValue(d.all[work], args[1], args[2], row, args[4]))
	case len(args) == 1 && args[0] == "stall":
		d.all[work].SetFaults(tdstest.Faults{StallTable: "WorkItem", StallAfterRows: 5, StallFor: time.Hour})
	case len(args) == 1 && args[0] == "drop":
		d.all[work].SetFaults(tdstest.Faults{DropTable: "WorkItem", DropAfterRows: 5})
	case len(args) == 1 && args[0] == "calm":
		d.all[work].SetFaults(tdstest.Faults{})
	default:
		ts.Fatalf("tds start | set TABLE COLUMN ROW VALUE | stall | drop | calm")
	}
}

const scriptPassword = "marker-of-scripts-7f3a"

// startPractice starts a server with a small firm's database.
func startPractice() (*tdstest.Server, int, error) {
	s, _ := schema.NewCatalogue().Lookup("efimis-1.0")
	tables, err := sampledb.Tables(context.Background(), s, sample.Config{Seed: 5, Scale: 0.1})
	if err != nil {
		return nil, 0, err
	}
	rows := 0
	for i := range tables {
		t := &tables[i]
		rows += len(t.Rows)
		if t.Name == "Matter" {
			t.Columns = append(t.Columns, tdstest.Column{Name: "RowVer", Type: "rowversion", NotNull: true})
			for j := range t.Rows {
				t.Rows[j] = append(t.Rows[j], nil)
			}
		}
	}
	tables = append(tables, tdstest.Table{Name: "AuditTrail", Columns: []tdstest.Column{{Name: "Id", Type: "int"}}})
	server, err := tdstest.New(tdstest.Options{Tables: tables, Password: scriptPassword, Snapshot: true, Encryption: tdstest.Required})
	return server, rows, err
}

func setValue(server *tdstest.Server, table, column string, row int, value string) error {
	s, _ := schema.NewCatalogue().Lookup("efimis-1.0")
	at := s.Table(table).Column(column).Index
	return server.Change(table, func(rows [][]any) [][]any {
		rows[row][at] = value
		return rows
	})
}
