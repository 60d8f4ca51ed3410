package mssql_test

import (
	"context"
	"database/sql/driver"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

func TestAServerThatSendsAllForTheFirst(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 10)}})
	at := siteOf(s)
	top := regexp.MustCompile(`TOP \(\d+\)`)
	at.through = func(to driver.Connector) driver.Connector {
		return hears{to, func(text string) string { return top.ReplaceAllString(text, "") }}
	}
	c := at.open(t, mssql.Options{})
	res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big", Key: "id", Limit: 4}, io.Discard, nil)
	if err != nil || res.Rows != 10 || res.More {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestARowOutOfOrderIsNoPart(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 10)}})
	at := siteOf(s)
	order := regexp.MustCompile(`ORDER BY \[id\]`)
	at.through = func(to driver.Connector) driver.Connector {
		return hears{to, func(text string) string { return order.ReplaceAllString(text, "ORDER BY [id] DESC") }}
	}
	c := at.open(t, mssql.Options{})
	if _, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big", Key: "id", Limit: 4}, io.Discard, nil); err == nil || mssql.IsLost(err) {
		t.Errorf("%v", err)
	}
}

func TestATableThatChangesIsReadAnew(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: practice()})
	at := siteOf(s)
	var changed atomic.Bool
	at.through = func(to driver.Connector) driver.Connector {
		return hears{to, func(text string) string {
			if changed.Load() && strings.Contains(text, "FROM [dbo].[Client]") {
				return "SELECT ImportId, ImportId AS Again FROM [dbo].[Client]"
			}
			return text
		}}
	}
	c := at.open(t, mssql.Options{})
	p := mssql.Part{Schema: "dbo", Name: "Client"}
	read(t, c, p)
	changed.Store(true)
	if _, err := c.Read(t.Context(), p, io.Discard, nil); !mssql.IsLost(err) {
		t.Fatalf("%v", err)
	}
	if text, _ := read(t, c, p); text != "ImportId,Again\na,a\nb,b\n" {
		t.Errorf("%q", text)
	}
}

func TestASurveyOutlivesAServerThatHangsUp(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{
		Tables: append(practice(), large("Trap", 10)),
		Faults: tdstest.Faults{
			ErrorTable: "Trap", ErrorAfterRows: 1, ErrorTimes: 100,
			RowError: &tdstest.Error{Number: 823, Class: 24, State: 1, Message: "gone"},
		},
	})
	at := siteOf(s)
	fatal := regexp.MustCompile(`dm_db_partition_stats|sys\.indexes|\[Open Matters\]`)
	at.through = func(to driver.Connector) driver.Connector {
		return hears{to, func(text string) string {
			if fatal.MatchString(text) {
				return "SELECT * FROM [dbo].[Trap]"
			}
			return text
		}}
	}
	survey, err := at.open(t, mssql.Options{}).Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, survey, "dbo", "Matter"); r.Rows != 100 || r.Key != "" || len(r.Columns) != 4 {
		t.Errorf("%+v", r)
	}
	if notes := strings.Join(survey.Notes, "\n"); strings.Count(notes, "the connection was lost over it") < 2 {
		t.Errorf("%q", survey.Notes)
	}
}

// hears is a server that understands another thing than is said.
type hears struct {
	driver.Connector
	heard func(text string) string
}

func (h hears) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return hearsConn{c.(driverConn), h.heard}, nil
}

type hearsConn struct {
	driverConn
	heard func(text string) string
}

func (c hearsConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return c.driverConn.PrepareContext(ctx, c.heard(text))
}
