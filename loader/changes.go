package loader

import (
	"context"
	"slices"
	"strings"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/mapping"
	"dropline/schema"
)

// overlap is by how much an incremental reading by time goes back: changes are stamped before they are committed.
const overlap = 10 * time.Minute

// PlanChanges finds out what of a database is to be read under a mapping: a relation that has a mark is read from there on, as far
// as its column allows; without marks all is read, in such a way that the next time may go on from there. Errors are the client's.
func PlanChanges(ctx context.Context, client database, mapper *mapping.Mapper, s *schema.Schema,
	marks map[string]ingest.SourceMark, now time.Time,
) (*ingest.DatabasePlan, error) {
	p, err := lookAt(ctx, client, mapper, s)
	if err != nil {
		return nil, err
	}
	return p.plan, p.goOn(ctx, client, marks, now)
}

// goOn makes the plan one of what has changed since the marks, as far as its relations allow. Errors are of the database.
func (p *planner) goOn(ctx context.Context, client database, marks map[string]ingest.SourceMark, now time.Time) error {
	high, err := client.HighMark(ctx)
	if err != nil {
		return err
	}
	p.plan.Began = now.UTC()
	for i := range p.plan.Relations {
		rel := &p.plan.Relations[i]
		if rel.SinceColumn == "" {
			continue
		}
		versioned := slices.ContainsFunc(p.known[rel.Name], func(c mssql.Column) bool { return c.Name == rel.SinceColumn && c.Rowversion })
		if versioned {
			rel.High = high
		}
		mark, ok := marks[rel.Name]
		if !ok || mark.Column != rel.SinceColumn || mark.Value == "" {
			continue
		}
		if versioned && high != "" && high < mark.Value { // both have as many digits
			p.plan.Notes = append(p.plan.Notes, rel.Name+" is read whole: the database's row versions are behind those read last time, as after its backup was restored")
			continue
		}
		rel.Since = mark.Value
		if !versioned {
			rel.Since = earlier(mark.Value, now)
		}
		rel.Rows = -1 // of what has changed nothing is known
	}
	return nil
}

// Advance notes in a relation of a plan that a part of it has been read.
func Advance(rel *ingest.PlannedRelation, result *mssql.PartResult) {
	rel.Parts++
	rel.After, rel.Done = result.Last, !result.More
	rel.Mark = later(rel.Mark, result.MaxSince)
}

// Marks are how far each relation of a plan that was read to its end, by the time now, is imported: as far as it was read, or no
// farther than before where rows of it were refused. Those come again with the next import, corrected or not.
func Marks(plan *ingest.DatabasePlan, refused map[string]bool, now time.Time) map[string]ingest.SourceMark {
	marks := map[string]ingest.SourceMark{}
	for _, rel := range plan.Relations {
		value := rel.Mark
		if rel.High == "" {
			value = settled(value, plan.Began, now)
		}
		value = later(value, rel.Since)
		if rel.High != "" && rel.Mark != "" {
			value = rel.High
		}
		if refused[rel.Name] {
			value = rel.Since
		}
		if rel.SinceColumn != "" && value != "" {
			marks[rel.Name] = ingest.SourceMark{Column: rel.SinceColumn, Value: value}
		}
	}
	return marks
}

// later is the greater of two marks, which are numbers, times or versions as the reader encodes them; of each of these kinds
// all that are as long compare as texts, but for numbers below zero, which nobody counts changes with.
func later(a, b string) string {
	if len(a) > len(b) && !strings.Contains(a, "-") || len(a) == len(b) && a > b || b == "" || strings.Contains(a, "-") && a > b {
		return a
	}
	return b
}

// settled is how far back of a time that was read nothing can have been missed. What changed while the rest was being read may
// bear an earlier time than what was read last: the mark goes back by as long as the reading took, whatever zone the client's
// clock is in. A time in the future says nothing of what was read: all up to the beginning was. What is no time stays as it is.
func settled(mark string, began, now time.Time) string {
	if began.IsZero() {
		return mark
	}
	for _, layout := range sinceLayouts() {
		t, err := time.Parse(layout, mark)
		if err != nil {
			continue
		}
		if t.After(now.UTC().Add(zones)) {
			return began.UTC().Add(-zones).Format(layout)
		}
		return formatted(t.Add(-max(now.Sub(began), 0)), layout)
	}
	return mark
}

// zones is more than there is between a client's wall clock and UTC.
const zones = 26 * time.Hour

// sinceLayouts are how times are encoded by which a database is read incrementally.
func sinceLayouts() []string {
	return []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02"}
}

// earlier takes a mark that is a time back by the overlap. One that lies in the future, by some fault in the client's data,
// would hide every change until then: such a one counts as a day ago. What is no time stays as it is.
func earlier(mark string, now time.Time) string {
	for _, layout := range sinceLayouts() {
		t, err := time.Parse(layout, mark)
		if err != nil {
			continue
		}
		if t.After(now.UTC().Add(zones)) {
			t = now.UTC().Add(-zones)
		}
		return formatted(t.Add(-overlap), layout)
	}
	return mark
}

// formatted writes a mark, or "" for one before all times that SQL Server has: many a column of the last change begins with the
// first of them.
func formatted(t time.Time, layout string) string {
	if t.Year() < 1 {
		return ""
	}
	return t.Format(layout)
}
