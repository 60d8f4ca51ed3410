package mssql_test

import (
	"database/sql"
	"fmt"
	"io"
	"testing"
	"time"

	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

const benchRows = 200_000

// workItems is a table like a client's of time entries, of twelve columns.
func workItems() tdstest.Table {
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return tdstest.Table{
		Name: "WorkItem", Count: benchRows, PrimaryKey: []string{"ImportId"}, Cached: true,
		Columns: []tdstest.Column{
			{Name: "ImportId", Type: "int", NotNull: true},
			{Name: "EntryDate", Type: "date"},
			{Name: "MatterId", Type: "nvarchar(100)"},
			{Name: "EmployeeId", Type: "nvarchar(100)"},
			{Name: "State", Type: "nvarchar(20)"},
			{Name: "Description", Type: "nvarchar(4000)"},
			{Name: "Rate", Type: "decimal(19,4)"},
			{Name: "Units", Type: "decimal(18,4)"},
			{Name: "UnitDuration", Type: "int"},
			{Name: "Total", Type: "decimal(19,4)"},
			{Name: "IsBillable", Type: "bit"},
			{Name: "UpdatedOn", Type: "datetime2(6)"},
		},
		Generate: func(i int, dst []any) {
			dst[0], dst[1] = i, day.AddDate(0, 0, i%365)
			dst[2], dst[3], dst[4] = fmt.Sprintf("M%06d", i%5000), fmt.Sprintf("E%03d", i%100), "Unbilled"
			dst[5] = "Attending client by phone, to discuss the contract of " + fmt.Sprint(i)
			dst[6], dst[7], dst[8], dst[9] = "450.0000", "3.0000", 6, "1350.0000"
			dst[10], dst[11] = i%3 != 0, day.Add(time.Duration(i)*time.Second)
		},
	}
}

func BenchmarkRead(b *testing.B) {
	at := siteOf(tdstest.Start(b, tdstest.Options{Tables: []tdstest.Table{workItems()}}))
	b.Run("bare", func(b *testing.B) {
		connector, _ := at.connector(b)
		db := sql.OpenDB(connector)
		defer db.Close()
		bare(b, db)
		b.ReportAllocs()
		for b.Loop() {
			bare(b, db)
		}
		b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
	})
	for name, remote := range map[string]bool{"csv": false, "csv in a process": true} {
		at.remote = remote
		b.Run(name, func(b *testing.B) { benchmarkRead(b, at) })
	}
}

func benchmarkRead(b *testing.B, at site) {
	c := at.open(b, mssql.Options{})
	part := mssql.Part{Schema: "dbo", Name: "WorkItem"}
	if _, err := c.Read(b.Context(), part, io.Discard, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if res, err := c.Read(b.Context(), part, io.Discard, nil); err != nil || res.Rows != benchRows {
			b.Fatal(res.Rows, err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// bare reads the table as the yardstick does.
func bare(b *testing.B, db *sql.DB) {
	rows, err := db.QueryContext(b.Context(), "SELECT * FROM [dbo].[WorkItem]")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil || n != benchRows {
		b.Fatal(n, err)
	}
}
