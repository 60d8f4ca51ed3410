package push

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/loader"
	"dropline/mapping"
)

// pusher is one push.
type pusher struct {
	cfg    Config
	to     destination
	store  *store
	state  *state
	mapper *mapping.Mapper
	conn   *mssql.Connection
	client *mssql.Client
	now    time.Time
	result Result

	mu    sync.Mutex // state and result
	stale map[string]bool
	total int64
}

// Run reads the database and delivers it. What an earlier run delivered is not read again.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	to, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	defer to.close()
	conn, err := mssql.Parse(cfg.Secret.ConnectionString, true)
	if err != nil {
		return nil, err
	}
	p := &pusher{cfg: cfg, to: to, conn: conn, now: cfg.Clock()}
	p.result = Result{
		Server: conn.Server(), Database: conn.Database(), Destination: to.name(), Relations: []Relation{}, Missing: []string{}, Notes: []string{},
	}
	if p.store, err = openStore(cfg.State); err != nil {
		return nil, err
	}
	defer p.store.close()
	if p.state, err = p.store.read(); err != nil && !cfg.Restart {
		return nil, err
	}
	if cfg.Restart {
		p.forget(ctx)
	}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	for again := 0; ; again++ {
		err = p.once(ctx)
		if !errors.Is(err, errAnew) || again == 2 {
			break
		}
		p.note("the server no longer had all that was sent before: everything was read anew")
		p.drop(ctx)
		if err := p.store.save(p.state); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	return &p.result, nil
}

func (p *pusher) note(text string) {
	p.cfg.tell(text)
	if !slices.Contains(p.result.Notes, text) {
		p.result.Notes = append(p.result.Notes, text)
	}
}

// prepare finds out what the state is good for.
func (p *pusher) prepare(ctx context.Context) error {
	var tenant Tenant
	err := p.cfg.again(ctx, func() (err error) {
		tenant, err = p.to.prepare(ctx)
		return err
	})
	if err != nil {
		return err
	}
	mapper, print, err := mapperOf(&p.cfg, &tenant)
	if err != nil {
		return err
	}
	p.mapper = mapper
	of := identity{
		Server: p.conn.Server(), Database: p.conn.Database(), Destination: p.to.name(), Tenant: tenant.Slug,
		Schema: p.cfg.Schema.ID(), Mapping: print,
	}
	if p.state.Version == stateVersion && p.state.Of == of {
		return nil
	}
	if p.state.Run != nil {
		p.note("the schema, the mapping or the place has changed since the run that was interrupted: everything is read anew")
		p.drop(ctx)
	} else if len(p.state.Marks) > 0 && p.cfg.Changes {
		p.note("the schema, the mapping or the place has changed since the last run: everything is read")
	}
	p.state = &state{Version: stateVersion, Of: of}
	return nil
}

// forget begins with an empty state, and removes what an interrupted run left at the server.
func (p *pusher) forget(ctx context.Context) {
	if p.state != nil && p.state.Run != nil && p.state.Of.Destination == p.to.name() {
		p.drop(ctx)
	}
	p.state = &state{Version: stateVersion}
}

// drop gives up a batch that is not to be delivered, or what is left of it. Should the server be out of reach, files stay there
// that do not count.
func (p *pusher) drop(ctx context.Context) {
	run := p.state.Run
	p.state.Run, p.total = nil, 0
	_ = p.to.discard(ctx, string(run.Batch))
}

// once reads and delivers.
func (p *pusher) once(ctx context.Context) error {
	if p.state.Run != nil && p.state.Run.Changes && !p.cfg.Changes {
		p.note("the run that was interrupted read only what had changed: everything is read anew")
		p.drop(ctx)
	}
	if p.state.Run != nil {
		if err := p.resume(ctx); err != nil {
			return err
		}
	}
	if p.state.Run == nil || !p.state.Run.Plan.Complete() {
		if err := p.read(ctx); err != nil {
			return err
		}
	}
	return p.deliver(ctx)
}

// resume compares what the state says of an interrupted run with what the server has.
func (p *pusher) resume(ctx context.Context) error {
	run := p.state.Run
	p.result.Resumed = true
	if run.Key != "" {
		return nil // it may have been delivered: deliver finds out
	}
	there, err := p.held(ctx, run)
	if err != nil {
		return err
	}
	for _, f := range run.Files {
		if h, ok := there[f.Name]; !ok || h.Size != f.Size || h.SHA256 != "" && h.SHA256 != f.SHA256 {
			return errAnew
		}
		delete(there, f.Name)
	}
	for name, e := range run.Ending {
		if h, ok := there[name]; ok && h.SHA256 == e.SHA256 && h.Size == e.Size {
			run.take(&e)
			delete(there, name)
		}
	}
	run.Ending = nil
	for _, f := range run.Files {
		p.total += f.Rows
	}
	p.stale = map[string]bool{}
	for name := range there {
		p.stale[name] = true
	}
	p.cfg.tell(fmt.Sprintf("going on with a run that was interrupted: %d files are at the server", len(run.Files)))
	return p.store.save(p.state)
}

func (p *pusher) held(ctx context.Context, run *running) (map[string]held, error) {
	var there map[string]held
	err := p.cfg.again(ctx, func() (err error) {
		there, err = p.to.held(ctx, string(run.Batch))
		return err
	})
	return there, err
}

// read connects to the database and sends what is left to read.
func (p *pusher) read(ctx context.Context) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	defer p.client.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	if p.state.Run == nil {
		if err := p.plan(ctx); err != nil {
			return err
		}
	}
	run := p.state.Run
	before := run.Snapshots
	whole := ctx
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(p.client.Sessions(), 1))
	for i := range run.Plan.Relations {
		rel := &run.Plan.Relations[i]
		if !rel.Done {
			g.Go(func() error { return p.readRelation(ctx, rel, before) })
		}
	}
	err := g.Wait()
	if err != nil && whole.Err() != nil {
		err = context.Cause(whole)
	}
	if err != nil {
		return err
	}
	run.Plan.Isolation, run.Plan.IsolationNote = p.client.Isolation() // a read may have found that there is no snapshot to be had
	run.Snapshots = before + p.client.Snapshots()
	return p.store.save(p.state)
}

// connect opens the database, trying again where that may help.
func (p *pusher) connect(ctx context.Context) error {
	patience := patience{sourceTries, p.cfg.Wait}
	for {
		var err error
		p.client, err = p.cfg.Databases.Open(ctx, p.cfg.Secret, ingest.DatabaseOptions{Isolation: p.cfg.Isolation}, p.mapper)
		if err == nil || !mssql.IsLost(err) || !patience.bears(ctx, err) {
			return err
		}
		p.cfg.tell("the database is out of reach, trying again: " + told(err))
	}
}

// plan decides what is read.
func (p *pusher) plan(ctx context.Context) error {
	marks, err := p.marks(ctx)
	if err != nil {
		return err
	}
	plan, err := loader.PlanChanges(ctx, p.client, p.mapper, p.cfg.Schema, marks, p.now)
	if err != nil {
		return err
	}
	if len(plan.Relations) == 0 && len(plan.Refused) == 0 {
		return ingest.WithHint(
			ingest.Errorf(ingest.Invalid, "push.plan", "the database %s on %s has no table of %s that the login can see", p.conn.Database(),
				p.conn.Server(), p.cfg.Schema.ID()),
			"grant the login SELECT on the tables, or name those to be read in the mapping's database")
	}
	for i := range plan.Relations {
		if rel := &plan.Relations[i]; !nameFits(rel) {
			plan.Refused = append(plan.Refused, ingest.RefusedRelation{
				Name: ingest.CutText(rel.Name, 100), Table: rel.Table, Code: ingest.CodeUnreadable,
				Message: "its name is too long for a file's: give it a shorter one in the mapping's database",
			})
		}
	}
	if len(plan.Refused) > 0 {
		return &Refused{plan.Refused}
	}
	p.state.Run = &running{Batch: newBatch(), Started: p.now.UTC(), Changes: len(marks) > 0, Plan: plan, Snapshots: 0}
	return p.store.save(p.state)
}
