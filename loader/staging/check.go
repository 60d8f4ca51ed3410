package staging

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// TableCount is what a table or file of an import comes to.
type TableCount struct {
	Staged   int64 // rows that remain
	Rejected int64 // rows refused by the checks; those refused while copying are not among them
}

// CheckResult is what the set checks found.
type CheckResult struct {
	// Tables has every table that rows were copied into, by published name.
	Tables map[string]TableCount
	// RejectedByFile has how many rows of each file (by File.Number) the checks refused, where there are any.
	RejectedByFile map[int]int64
	// Prerequisites are the earlier staged imports that must be promoted before this one, oldest first.
	Prerequisites []ingest.ImportID
	Warnings      int64
}

// Check runs the set checks on what was copied, all in one transaction: keys and unique columns, references, the declared
// checks over staging and production together, and over and over what follows from a refused row, until nothing more does.
// Refused rows are deleted from staging and go to sink, in the order of file and record, one reject each with the first
// reason found; warnings on the rows that remain go to warn. The value of a reference is not told: staging knows only what it
// stands for. Those of warnings come in that order for each check. earlier are the tenant's earlier staged imports, oldest first,
// under the same schema. If sink or warn fails, so does Check, and nothing has changed.
//
// It is Unavailable if rows have gone missing since they were copied, of this import or of an earlier one: the import must be
// begun again.
func (s *Store) Check(
	ctx context.Context, t Target, earlier []Target, sink, warn func(ingest.Reject) error,
) (CheckResult, error) {
	const op = "staging.Check"
	var result CheckResult
	if err := t.validate(op); err != nil {
		return result, err
	}
	err := s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.holdImport(ctx, tx, t); err != nil {
			return err
		}
		c := &checker{tx: tx, target: t, sink: sink, warn: warn}
		if err := c.open(ctx, earlier); err != nil {
			return err
		}
		if err := c.refuse(ctx); err != nil {
			return err
		}
		if err := c.conclude(ctx); err != nil {
			return err
		}
		result = c.result
		return nil
	})
	return result, err
}

// checker is one run of the set checks.
type checker struct {
	overlay
	tx         pgx.Tx
	target     Target
	tables     []*schema.Table // that have rows, in the schema's order
	copied     map[*schema.Table]int64
	paths      map[int]string
	suspect    map[*schema.Table]suspicion
	made       bool // the table of refused rows exists
	large      bool // no nested loops
	step       int  // of the refusal now under way; rows refused by one statement share it
	reached    int  // the last step whose consequences have been drawn
	needed     map[ingest.ImportID]bool
	older      []Target
	version    int64
	sink, warn func(ingest.Reject) error
	result     CheckResult
}

// analyzeFrom is from how many rows a staging table is analyzed when it has faults: below, the planner's guesses from the
// table's size are good enough.
const analyzeFrom = 20_000

func (c *checker) open(ctx context.Context, older []Target) error {
	c.older = older
	c.overlay = overlay{
		names: namesOf(c.target.Tenant), seq: c.target.Seq, own: map[*schema.Table]bool{}, earlier: map[*schema.Table][]earlier{},
		refused: map[*schema.Table]int64{}, number: map[*schema.Table]int{},
	}
	c.suspect = map[*schema.Table]suspicion{}
	c.copied, c.paths, c.needed = map[*schema.Table]int64{}, map[int]string{}, map[ingest.ImportID]bool{}
	c.result = CheckResult{Tables: map[string]TableCount{}, RejectedByFile: map[int]int64{}}
	for i, t := range c.target.Schema.Tables {
		c.number[t] = i
	}
	var err error
	if c.version, err = productionVersion(ctx, c.tx, c.target.Tenant); err != nil {
		return err
	}
	// Where a crash has emptied the tables of staged rows, what refers to them would be refused for good.
	if intact, err := marked(ctx, c.tx, c.target.Tenant); err != nil {
		return err
	} else if !intact {
		return ingest.Errorf(ingest.Unavailable, "staging.Check", "PostgreSQL has lost staged rows of the tenant")
	}
	if err := c.files(ctx); err != nil {
		return err
	}
	var rows int64
	for _, t := range c.target.Schema.Tables {
		rows += c.copied[t]
		if c.copied[t] == 0 {
			continue
		}
		c.tables, c.own[t] = append(c.tables, t), true
	}
	if c.rejected, err = tableExists(ctx, c.tx, c.names, rejectedName(c.seq)); err != nil {
		return err
	}
	earlier, err := c.findEarlier(ctx)
	if err != nil {
		return err
	}
	if c.large = rows+earlier >= largeImport; c.large {
		if err := nestedLoops(ctx, c.tx, false); err != nil {
			return err
		}
	}
	return c.readReferred(ctx, c.tx, true)
}

// files reads what was copied from which file.
func (c *checker) files(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, "select number, path, table_name, staged from "+c.names.own("_files")+" where seq = $1", c.seq)
	if err != nil {
		return err
	}
	var number int
	var path, name string
	var staged int64
	_, err = pgx.ForEachRow(rows, []any{&number, &path, &name, &staged}, func() error {
		t := c.target.Schema.Table(name)
		if t == nil {
			return fmt.Errorf("a file was copied into table %s, which %s lacks", name, c.target.Schema.ID())
		}
		c.paths[number] = path
		c.copied[t] += staged
		return nil
	})
	return err
}

// findEarlier looks up which earlier staged imports have rows for which tables, and returns how many they have in all.
func (c *checker) findEarlier(ctx context.Context) (int64, error) {
	if len(c.older) == 0 {
		return 0, nil
	}
	ids := map[int64]ingest.ImportID{}
	for _, t := range c.older {
		ids[t.Seq] = t.Import
	}
	rows, err := c.tx.Query(ctx, "select seq, table_name, staged from "+c.names.own("_tables")+
		" join "+c.names.own("_imports")+" using (seq) where seq = any($1) and promoted_version is null and staged > 0 order by seq desc",
		slices.Collect(maps.Keys(ids)))
	if err != nil {
		return 0, err
	}
	var seq, staged, sum int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&seq, &name, &staged}, func() error {
		sum += staged
		if t := c.target.Schema.Table(name); t != nil && seq < c.seq {
			c.earlier[t] = append(c.earlier[t], earlier{id: ids[seq], seq: seq})
		}
		return nil
	})
	return sum, err
}

// refuse finds every row that is to be refused, in the order in which the reasons count.
func (c *checker) refuse(ctx context.Context) error {
	for _, find := range []func(context.Context) error{c.keys, c.survey, c.uniques, c.references, c.consequences, c.rowChecks, c.consequences} {
		if err := find(ctx); err != nil {
			return err
		}
	}
	for {
		before := c.total()
		if err := c.wholes(ctx); err != nil {
			return err
		}
		if err := c.consequences(ctx); err != nil {
			return err
		}
		if c.total() == before {
			return nil
		}
		if err := c.uniques(ctx); err != nil { // a row that is not replaced after all keeps its values
			return err
		}
		if err := c.consequences(ctx); err != nil {
			return err
		}
	}
}
