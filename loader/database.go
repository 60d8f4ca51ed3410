package loader

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

const (
	sourceTries = 5 // connections in a row that break without a part read to its end
	// maxReading is how long a database may be read: one that hands out a row now and then would else be read for ever.
	maxReading = 24 * time.Hour
	sourceWait = time.Second // before the second try; it doubles
)

// sourceError is an error of the client's database, in contrast to those of our own stores: it is not waited out for ever.
type sourceError struct{ err error }

// Error implements error.
func (e *sourceError) Error() string { return e.err.Error() }

// Unwrap lets errors.Is and errors.As see the cause.
func (e *sourceError) Unwrap() error { return e.err }

// OfSource tells the API that the client's database is the cause.
func (*sourceError) OfSource() bool { return true }

// ofSource marks an error of the client's database; nil stays nil, and so does what keeps us from reading any.
func ofSource(err error) error {
	if err == nil || errors.Is(err, mssql.ErrNoProcess) {
		return err
	}
	return &sourceError{err}
}

// relationError is an error over a relation. It names it, which the words of a server seldom do.
type relationError struct {
	relation string
	err      error
}

// Error implements error.
func (e *relationError) Error() string { return e.relation + ": " + e.err.Error() }

// Unwrap lets errors.Is and errors.As see the cause.
func (e *relationError) Unwrap() error { return e.err }

// ofRelation is ofSource for an error over a relation.
func ofRelation(relation string, err error) error {
	var told *ingest.Error
	if !errors.As(err, &told) || strings.HasPrefix(ingest.MessageOf(told), relation) {
		return ofSource(err)
	}
	named := *told
	named.Err = &relationError{relation, told.Err}
	return ofSource(&named)
}

// readDatabase reads what of the import's database has not been read by an attempt before, and stages it. An error of the
// database that does not pass ends the import: whether to try again is the client's to say.
func (r *run) readDatabase(ctx context.Context) error {
	d := r.imp.Database
	if d.Plan == nil || !d.Plan.Complete() {
		if err := r.readFrom(ctx); err != nil {
			var source *sourceError
			if errors.As(err, &source) && ctx.Err() == nil {
				return ingest.WithHint(ingest.E(ingest.Invalid, "loader.readDatabase", source.err), hintOr(source.err,
					"see to the database, then retry the import"))
			}
			return err
		}
	}
	slices.SortFunc(r.imp.Files, func(a, b ingest.ImportFile) int { return a.Number - b.Number })
	r.addRefused()
	return nil
}

func hintOr(err error, hint string) string {
	if own := ingest.HintOf(err); own != "" {
		return own
	}
	return hint
}

// readFrom connects to the database and reads what is left to read.
func (r *run) readFrom(ctx context.Context) error {
	whole := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, maxReading, errTooLong())
	defer cancel()
	err := r.readAll(ctx)
	if context.Cause(ctx) != nil && whole.Err() == nil {
		return ofSource(context.Cause(ctx))
	}
	return err
}

func errTooLong() error {
	return ingest.WithHint(ingest.Errorf(ingest.Invalid, "loader.readDatabase", "the database was not read to its end within %s", maxReading),
		"see what keeps the server or the network, then retry the import; dropline push reads beside the server")
}

func (r *run) readAll(ctx context.Context) error {
	client, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	d := r.imp.Database
	before := d.Snapshots
	if d.Plan == nil {
		if err := r.again(ctx, "what there is", func() error { return r.makePlan(ctx, client) }); err != nil {
			return err
		}
	}
	if len(d.Plan.Relations) == 0 && len(d.Plan.Refused) == 0 {
		return ofSource(nothingFound(r.target.Schema.ID(), d))
	}
	whole := ctx
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(client.Sessions(), 1))
	for i := range d.Plan.Relations {
		rel := &d.Plan.Relations[i]
		if rel.Done {
			continue
		}
		g.Go(func() error { return r.readRelation(ctx, client, rel, before) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	d.Plan.Isolation, d.Plan.IsolationNote = client.Isolation() // a read may have found that there is no snapshot to be had
	d.Snapshots = before + client.Snapshots()
	return r.l.cfg.Ledger.SavePlan(whole, r.imp.ID, r.imp.Attempt, d)
}

func nothingFound(schema string, d *ingest.Database) error {
	return ingest.WithHint(
		ingest.Errorf(ingest.Invalid, "loader.readDatabase", "the database %s on %s has no table of %s that the login can see",
			d.Name, d.Server, schema),
		"make the tables with the schema's SQL script, grant the login SELECT on them, or name the tables to be read in the mapping's database")
}

// connect opens the database, trying again where that may help.
func (r *run) connect(ctx context.Context) (database, error) {
	secret, err := r.secret(ctx)
	if err != nil {
		return nil, err
	}
	var client database
	err = r.again(ctx, "how it is read", func() (err error) {
		client, err = r.l.cfg.Databases.open(ctx, secret, r.imp.Database.Options, r.mapper)
		return ofSource(err)
	})
	return client, err
}

// again does something at the client's database until it goes through, as long as trying again may help: a connection that
// breaks is made anew, with growing waits.
func (r *run) again(ctx context.Context, what string, do func() error) error {
	wait := sourceWait
	for try := 1; ; try++ {
		err := do()
		var source *sourceError
		if err == nil || try == sourceTries || ctx.Err() != nil || !errors.As(err, &source) || !mssql.IsLost(source.err) {
			return err
		}
		r.l.cfg.Logger.InfoContext(ctx, "the connection to a client's database broke, or could not be made: it is tried again",
			"import", r.imp.ID, "over", what, "try", try, "err", source.err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
}

// secret opens the import's connection string.
func (r *run) secret(ctx context.Context) (ingest.DatabaseSecret, error) {
	var secret ingest.DatabaseSecret
	if r.l.cfg.Databases.Unseal == nil {
		return secret, ingest.WithHint(ingest.Errorf(ingest.Invalid, "loader.secret", "this worker has no key for connection strings"),
			"start every worker with secrets.key_file or secrets.kms_key as the API has it, then retry the import")
	}
	sealed, bound, err := r.l.cfg.Ledger.Sealed(ctx, r.imp.ID)
	if err != nil {
		if ingest.KindOf(err) == ingest.NotFound {
			err = ingest.E(ingest.Invalid, "loader.secret", err)
		}
		return secret, err
	}
	plain, err := r.l.cfg.Databases.Unseal(ctx, sealed, bound)
	if err != nil {
		return secret, err
	}
	if err := json.Unmarshal(plain, &secret); err != nil {
		return secret, ingest.Errorf(ingest.Internal, "loader.secret", "what was sealed is no connection string")
	}
	return secret, nil
}

// makePlan looks at the database, decides what is read of it, and records that.
func (r *run) makePlan(ctx context.Context, client database) error {
	p, err := lookAt(ctx, client, r.mapper, r.target.Schema)
	if err != nil {
		return ofSource(err)
	}
	d := r.imp.Database
	d.Plan = p.plan
	if d.Source == "" {
		for i := range p.plan.Relations {
			p.plan.Relations[i].SinceColumn = ""
		}
	} else if err := r.goOn(ctx, client, p); err != nil {
		return err
	}
	d.Snapshots = client.Snapshots()
	return r.l.cfg.Ledger.SavePlan(ctx, r.imp.ID, r.imp.Attempt, d)
}

// goOn makes the plan one of what has changed since the source's last import, as far as its relations allow.
func (r *run) goOn(ctx context.Context, client database, p *planner) error {
	d := r.imp.Database
	var marks map[string]ingest.SourceMark
	if !d.Options.Full {
		var err error
		if d.BaseID, marks, err = r.l.cfg.Ledger.Marks(ctx, d.Source, r.imp.Schema, r.imp.MappingVersion); err != nil {
			return err
		}
	}
	return ofSource(p.goOn(ctx, client, marks, r.started))
}

// marks are how far each relation of the database is imported once this import is.
func (r *run) marks() map[string]ingest.SourceMark {
	if r.imp.Database == nil || r.imp.Database.Plan == nil {
		return nil
	}
	refused := map[string]bool{}
	for i := range r.imp.Files {
		if f := &r.imp.Files[i]; f.Rejected > 0 || f.State == ingest.FileRefused {
			refused[f.Relation] = true
		}
	}
	return Marks(r.imp.Database.Plan, refused, r.l.cfg.Clock())
}

// addRefused lists the relations that cannot be read as files that were refused.
func (r *run) addRefused() {
	number := r.nextNumber()
	for _, refused := range r.imp.Database.Plan.Refused {
		r.imp.Files = append(r.imp.Files, ingest.ImportFile{
			Number: number, Relation: refused.Name, Path: ingest.DatabaseRoot + "/" + refused.Name, Table: refused.Table,
			State: ingest.FileRefused, Code: refused.Code, Error: refused.Message,
		})
		number++
	}
}

func (r *run) nextNumber() int {
	number := 1
	for i := range r.imp.Files {
		number = max(number, r.imp.Files[i].Number+1)
	}
	return number
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
