package loader_test

import (
	"slices"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/sample"
	"dropline/internal/tdstest"
)

// store records a source.
func (p *practice) store() ingest.Source {
	p.Helper()
	s := ingest.Source{ID: ingest.NewSourceID(), Tenant: acme, Name: "practice", Server: "sql", Database: "practice", CreatedBy: "test"}
	s.Sealed = p.sealed(string(s.ID))
	s, err := p.ledger.AddSource(p.Context(), s)
	p.must(err)
	return s
}

// from imports from a source.
func (p *practice) from(s ingest.Source, o ingest.DatabaseOptions) ingest.Import {
	p.Helper()
	id := ingest.NewImportID()
	_, err := p.ledger.RequestImport(p.Context(), acme, id, ingest.Database{Source: s.ID, Options: o}, "test")
	p.must(err)
	return p.until(id, "ended", func(i ingest.Import) bool { return !i.State.Running() })
}

// read is how many rows an import read of each table.
func read(imp ingest.Import) map[string]int64 {
	n := map[string]int64{}
	for _, f := range imp.Files {
		n[f.Table] += f.Read
	}
	return n
}

// changing is a database with one table that has a row version, one that says when a row changed, and one that has neither.
func changing(t *testing.T) []tdstest.Table {
	t.Helper()
	all := sampleTables(t, sample.Config{Seed: 3})
	var tables []tdstest.Table
	for _, table := range all {
		updated := slices.IndexFunc(table.Columns, func(c tdstest.Column) bool { return c.Name == "UpdatedOn" })
		switch table.Name {
		case "Office":
			table.Columns = append(table.Columns, tdstest.Column{Name: "Version", Type: "rowversion"})
			for i := range table.Rows {
				table.Rows[i] = append(table.Rows[i], nil)
			}
		case "TaskType":
			for i := range table.Rows {
				table.Rows[i][updated] = time.Date(2026, 1, 1, 12, i, 0, 0, time.UTC)
			}
		case "MatterType":
			table.Columns = slices.Delete(table.Columns, updated, updated+1)
			for i := range table.Rows {
				table.Rows[i] = slices.Delete(table.Rows[i], updated, updated+1)
			}
		default:
			continue
		}
		tables = append(tables, table)
	}
	return tables
}

func TestASourceIsReadIncrementally(t *testing.T) {
	t.Parallel()
	tables := changing(t)
	office, name := column(t, tables, "Office", "Name")
	task, updated := column(t, tables, "TaskType", "UpdatedOn")
	kinds, _ := column(t, tables, "MatterType", "Name")
	offices, tasks, types := int64(len(office.Rows)), int64(len(task.Rows)), int64(len(kinds.Rows))
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	source := p.store()

	first := p.from(source, ingest.DatabaseOptions{})
	if n := read(first); n["Office"] != offices || n["TaskType"] != tasks || n["MatterType"] != types || first.Database.BaseID != "" {
		t.Fatalf("first: %v of %+v: %s", n, first.Database, first.Error)
	}
	p.must(p.server.Change("Office", func(rows [][]any) [][]any {
		rows[1][name] = "Changed"
		return rows
	}))
	p.must(p.server.Change("TaskType", func(rows [][]any) [][]any {
		rows[0][updated] = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		rows[1][updated] = nil
		return rows
	}))
	second := p.from(source, ingest.DatabaseOptions{})
	late := int64(0) // those changed within the overlap before the mark are read again
	for i := range task.Rows {
		if i > 1 && time.Duration(len(task.Rows)-1-i)*time.Minute < 10*time.Minute {
			late++
		}
	}
	if n := read(second); n["Office"] != 1 || n["TaskType"] != 2+late || n["MatterType"] != types || second.Database.BaseID != first.ID {
		t.Errorf("second: %v, want 1, %d, %d; %+v", n, 2+late, types, second.Database)
	}
	if n := read(p.from(source, ingest.DatabaseOptions{})); n["Office"] != 0 {
		t.Errorf("third: %v", n)
	}
	if full := p.from(source, ingest.DatabaseOptions{Full: true}); read(full)["Office"] != offices || full.Database.BaseID != "" {
		t.Errorf("full: %v", read(full))
	}
}

// What was given up is read again.
func TestChangesOfAnImportThatWasCancelledComeAgain(t *testing.T) {
	t.Parallel()
	tables := changing(t)
	_, name := column(t, tables, "Office", "Name")
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	source := p.store()
	first := p.from(source, ingest.DatabaseOptions{})
	change := func(row int) {
		p.must(p.server.Change("Office", func(rows [][]any) [][]any {
			rows[row][name] = "Changed"
			return rows
		}))
	}
	change(0)
	second := p.from(source, ingest.DatabaseOptions{})
	change(1)
	third := p.from(source, ingest.DatabaseOptions{})
	if read(second)["Office"] != 1 || read(third)["Office"] != 1 || third.Database.BaseID != second.ID {
		t.Fatalf("%v, %v of %s", read(second), read(third), third.Database.BaseID)
	}
	_, err := p.ledger.Cancel(t.Context(), acme, second.ID, "test")
	p.must(err)
	fourth := p.from(source, ingest.DatabaseOptions{})
	if fourth.Database.BaseID != first.ID || read(fourth)["Office"] != 2 {
		t.Errorf("it goes on from %s, not %s, and reads %v", fourth.Database.BaseID, first.ID, read(fourth))
	}
}

// A row that was refused comes again until it is accepted.
func TestRefusedRowsComeAgain(t *testing.T) {
	t.Parallel()
	tables := changing(t)
	office, code := column(t, tables, "Office", "Name")
	office.Columns[code].Type, office.Columns[code].NotNull = "nvarchar(max)", false
	office.Rows[1][code] = nil
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	source := p.store()
	first := p.from(source, ingest.DatabaseOptions{})
	second := p.from(source, ingest.DatabaseOptions{})
	if first.Rejected != 1 || second.Rejected != 1 || read(second)["Office"] != int64(len(office.Rows)) {
		t.Errorf("refused %d, then %d of %v", first.Rejected, second.Rejected, read(second))
	}
}
