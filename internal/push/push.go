package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/loader"
	"dropline/mapping"
	"dropline/schema"
)

// Config says what is pushed, and where to.
type Config struct {
	Secret    ingest.DatabaseSecret
	Isolation string           // as mssql.Options has it
	Databases loader.Databases // how the database is reached; Local and a local policy are set here
	Schema    *schema.Schema
	Mapping   []byte // decides what is read; nil: what the server has for the tenant, where it tells
	// One of these is where it goes.
	HTTPS *HTTPS
	SFTP  *SFTP

	State   string // file that remembers what was delivered
	Changes bool   // read only what has changed since it was last imported, where that can be told
	Restart bool   // forget what was delivered

	Progress func(Progress)    // called often, from several goroutines; nil for nobody
	Say      func(text string) // remarks while it goes on; nil for nobody
	Clock    func() time.Time  // default time.Now
	Tries    int               // how often what passes is tried before it is given up. Default 10
	Wait     time.Duration     // before the second try; it doubles, up to a minute. Default 1 s
	Quiet    time.Duration     // longest that an upload stands still without a sign of life. Default 15 s
}

func (c *Config) validate() (destination, error) {
	const op = "push.Config"
	c.Databases.Local, c.Databases.Connections.Policy = true, mssql.Policy{Local: true}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Tries <= 0 {
		c.Tries = usualTries
	}
	if c.Wait <= 0 {
		c.Wait = usualWait
	}
	if c.Quiet <= 0 {
		c.Quiet = quiet
	}
	switch {
	case c.Schema == nil:
		return nil, ingest.Errorf(ingest.Internal, op, "a push needs a schema")
	case (c.HTTPS == nil) == (c.SFTP == nil):
		return nil, ingest.Errorf(ingest.Invalid, op, "a push goes to one place: over HTTPS or over SFTP")
	case c.HTTPS != nil:
		return c.HTTPS, c.HTTPS.validate()
	}
	return c.SFTP, c.SFTP.validate()
}

func (c *Config) tell(text string) {
	if c.Say != nil {
		c.Say(text)
	}
}

// told is an error as a person should read it.
func told(err error) string { return ingest.MessageOf(err) }

// Progress is how far a push is.
type Progress struct {
	Relation string
	Rows     int64 // of the part that is being read
	Total    int64 // rows that have been read altogether
	Expected int64 // as the database says; -1 where it does not
}

// Tenant is for whom is pushed, as far as it is known.
type Tenant struct {
	Slug    string
	Schema  string // empty where it is not known
	Mapping []byte
}

// Result is what a push came to.
type Result struct {
	Server        string     `json:"server"`
	Database      string     `json:"database"`
	Destination   string     `json:"destination"`
	Batch         string     `json:"batch,omitempty"`
	RequestID     string     `json:"requestId,omitempty"` // over HTTPS
	NothingNew    bool       `json:"nothingNew"`          // what was read is what the server has
	Resumed       bool       `json:"resumed"`
	Isolation     string     `json:"isolation,omitempty"`
	IsolationNote string     `json:"isolationNote,omitempty"`
	Snapshots     int        `json:"snapshots"`
	Rows          int64      `json:"rows"`
	Files         int        `json:"files"`
	Bytes         int64      `json:"bytes"` // as sent, compressed
	Relations     []Relation `json:"relations"`
	Missing       []string   `json:"missing"`
	Notes         []string   `json:"notes"`
}

// Relation is what was delivered of a relation.
type Relation struct {
	Name    string   `json:"name"`
	Table   string   `json:"table"`
	Rows    int64    `json:"rows"`
	Files   int      `json:"files"`
	Bytes   int64    `json:"bytes"`
	Since   string   `json:"since,omitempty"` // only what has changed since
	Ignored []string `json:"ignoredColumns,omitempty"`
}

// Refused is the error of a database of which some relation cannot be read as it is. Nothing was delivered then.
type Refused struct {
	Relations []ingest.RefusedRelation
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("%d tables cannot be read as they are", len(r.Relations))
}

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
	if cfg.Restart {
		if err := forget(ctx, &cfg, to); err != nil {
			return nil, err
		}
	}
	p := &pusher{cfg: cfg, to: to, conn: conn, now: cfg.Clock()}
	p.result = Result{
		Server: conn.Server(), Database: conn.Database(), Destination: to.name(), Relations: []Relation{}, Missing: []string{}, Notes: []string{},
	}
	if p.store, p.state, err = openStore(cfg.State); err != nil {
		return nil, err
	}
	defer p.store.close()
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	for again := 0; ; again++ {
		err = p.once(ctx)
		if !errors.Is(err, errAnew) || again == 2 {
			break
		}
		p.note("the server no longer had all that was sent before: everything was read anew")
		p.state.Run = nil
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

// mapperOf makes the mapper that decides what is read, and tells the mapping's fingerprint.
func mapperOf(cfg *Config, tenant *Tenant) (*mapping.Mapper, string, error) {
	text, name := cfg.Mapping, "the mapping"
	if text == nil {
		text, name = tenant.Mapping, "the tenant's mapping"
	}
	if tenant.Schema != "" && tenant.Schema != cfg.Schema.ID() {
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.Invalid, "push.mapper", "the tenant %s uses the schema %s, not %s", tenant.Slug,
			tenant.Schema, cfg.Schema.ID()), "name it: --schema "+tenant.Schema)
	}
	var m *mapping.Mapping
	print := ""
	if len(text) > 0 {
		var err error
		if m, err = mapping.Parse(name, text, cfg.Schema); err != nil {
			return nil, "", ingest.E(ingest.Invalid, "push.mapper", err)
		}
		sum := sha256.Sum256(text)
		print = hex.EncodeToString(sum[:])
	}
	// Where a time without a zone is does not matter: it is for the server to say.
	mapper, err := mapping.New(cfg.Schema, m, mapping.Options{})
	return mapper, print, err
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

// forget removes what an interrupted run left, here and at the server.
func forget(ctx context.Context, cfg *Config, to destination) error {
	store := &store{path: cfg.State}
	st, err := store.read()
	if err == nil && st.Run != nil && st.Of.Destination == to.name() {
		_ = to.discard(ctx, string(st.Run.Batch), st.Run.Files) // what is left there goes by itself after a while
	}
	locked, _, err := openStore(cfg.State)
	if err != nil && ingest.KindOf(err) == ingest.Conflict {
		return err
	}
	if locked != nil {
		defer locked.close()
	}
	return store.save(&state{Version: stateVersion})
}

// drop gives up a batch that is not to be delivered. What it leaves goes by itself after a while.
func (p *pusher) drop(ctx context.Context) {
	run := p.state.Run
	p.state.Run = nil
	if run.Key == "" {
		_ = p.to.discard(ctx, string(run.Batch), run.Files)
	}
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
			if len(there) > 0 {
				_ = p.to.discard(ctx, string(run.Batch), run.Files) // what is left goes by itself after a while
			}
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

// summarize completes the result.
func (p *pusher) summarize(run *running) {
	r := &p.result
	r.Batch, r.Snapshots, r.Isolation, r.IsolationNote = string(run.Batch), run.Snapshots, run.Plan.Isolation, run.Plan.IsolationNote
	r.Missing = append(r.Missing, run.Plan.Missing...)
	for _, rel := range run.Plan.Relations {
		out := Relation{Name: rel.Name, Table: rel.Table, Since: rel.Since, Ignored: rel.Ignored}
		for _, f := range run.Files {
			if f.Relation == rel.Name {
				out.Rows, out.Files, out.Bytes = out.Rows+f.Rows, out.Files+1, out.Bytes+f.Size
			}
		}
		r.Relations = append(r.Relations, out)
		r.Rows, r.Files, r.Bytes = r.Rows+out.Rows, r.Files+out.Files, r.Bytes+out.Bytes
	}
	for _, note := range run.Plan.Notes {
		if !slices.Contains(r.Notes, note) {
			r.Notes = append(r.Notes, note)
		}
	}
	if run.Snapshots > 1 {
		r.Notes = append(r.Notes, fmt.Sprintf(
			"it was read under %d snapshots, as the connection broke or the run was interrupted in between: the rows are not all of one moment", run.Snapshots))
	} else if p.result.Resumed && !strings.Contains(run.Plan.Isolation, "snapshot") {
		r.Notes = append(r.Notes, "it was read in more than one run and not under a snapshot: the rows are not all of one moment")
	}
}

// DryRun says what would be read and what would be refused, from the first rows of each relation. Nothing is delivered.
func DryRun(ctx context.Context, cfg Config) (*ingest.DryRun, error) {
	to, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	defer to.close()
	tenant, err := to.prepare(ctx)
	if err != nil {
		return nil, err
	}
	mapper, _, err := mapperOf(&cfg, &tenant)
	if err != nil {
		return nil, err
	}
	return cfg.Databases.DryRun(ctx, cfg.Secret, ingest.DatabaseOptions{Isolation: cfg.Isolation}, cfg.Schema, mapper)
}
