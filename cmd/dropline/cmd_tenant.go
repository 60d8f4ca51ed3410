package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dropline/api"
)

// pageSize is how much is asked for at a time; the API's largest page.
const pageSize = 500

// tenantCmd is about tenants.
type tenantCmd struct {
	Create  tenantCreateCmd  `cmd:"" help:"Create a tenant."`
	List    tenantListCmd    `cmd:"" help:"List the tenants."`
	Show    tenantShowCmd    `cmd:"" help:"Show a tenant, what it has stored and what it has in production."`
	Set     tenantSetCmd     `cmd:"" help:"Change a tenant's settings."`
	Disable tenantDisableCmd `cmd:"" help:"Refuse a tenant's credentials and load nothing of it."`
	Enable  tenantEnableCmd  `cmd:"" help:"Take that back."`
}

// Help is kong's long text.
func (tenantCmd) Help() string {
	return `A tenant is a client organisation: it has credentials, mappings, a staging area and production data of its own. Its slug
(a lower-case letter, then up to 30 lower-case letters, digits and underscores) is also its SFTP user name.

Examples:

  dropline tenant create acme --name "Acme Legal" --time-zone Australia/Sydney
  dropline tenant list
  dropline tenant set acme --quiet-period 30s --reject-limit 5%
  dropline tenant disable acme`
}

// tenantSettings are what can be set of a tenant.
type tenantSettings struct {
	TimeZone    *string        `help:"IANA name; times without a zone are in it." placeholder:"ZONE"`
	QuietPeriod *time.Duration `help:"A batch is closed when nothing has arrived for so long; 0s imports each file by itself at once." placeholder:"10s"`
	RejectLimit *string        `help:"Share of refused rows above which an import is rejected." placeholder:"10%"`
	Quota       *string        `help:"Bytes that may be stored; 0 is unlimited." placeholder:"20GB"`
	AutoMap     *bool          `help:"Without a mapping, take one that is proposed and leaves nothing open into use without being asked." negatable:""`
}

// share reads "10%" or "0.1".
func share(s string) (float64, error) {
	text, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(text, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, usageError("such as 10% or 0.1", "%q is no share", s)
	}
	return f, nil
}

// bytesOf reads "20GB", "512MiB" or a plain number.
func bytesOf(s string) (int64, error) {
	units := []struct {
		suffix string
		factor float64
	}{
		{"kib", 1 << 10},
		{"mib", 1 << 20},
		{"gib", 1 << 30},
		{"tib", 1 << 40},
		{"kb", 1e3},
		{"mb", 1e6},
		{"gb", 1e9},
		{"tb", 1e12},
		{"b", 1},
		{"", 1},
	}
	text := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(f >= 0) || f*u.factor > 1<<60 {
			break
		}
		return int64(f * u.factor), nil
	}
	return 0, usageError("such as 20GB or 512MiB", "%q is no number of bytes", s)
}

func (t *tenantSettings) resolve() (quiet, limit *float64, quota *int64, err error) {
	if t.QuietPeriod != nil {
		seconds := t.QuietPeriod.Seconds()
		quiet = &seconds
	}
	if t.RejectLimit != nil {
		f, err := share(*t.RejectLimit)
		if err != nil {
			return nil, nil, nil, err
		}
		limit = &f
	}
	if t.Quota != nil {
		n, err := bytesOf(*t.Quota)
		if err != nil {
			return nil, nil, nil, err
		}
		quota = &n
	}
	return quiet, limit, quota, nil
}

// tenantCreateCmd creates a tenant.
type tenantCreateCmd struct {
	Slug   string `arg:"" help:"Its short name, for good."`
	Name   string `help:"Its name for people; the slug if left out."`
	Schema string `help:"Its ETL schema." default:"${default_schema}"`
	tenantSettings
}

// Help is kong's long text.
func (tenantCreateCmd) Help() string {
	return `Creates a tenant. What is left out takes its default: time zone UTC, quiet period 10s, reject limit 10%, no quota. Its
SFTP user name is the slug; add a way to sign in with dropline credential.

Examples:

  dropline tenant create acme
  dropline tenant create acme --name "Acme Legal" --time-zone Europe/London --quiet-period 1m --quota 50GB`
}

// Run carries the command out.
func (t *tenantCreateCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	quiet, limit, quota, err := t.resolve()
	if err != nil {
		return err
	}
	body := api.TenantCreate{Slug: t.Slug, Name: t.Name, Schema: t.Schema, QuietPeriodSeconds: quiet, RejectLimit: limit, QuotaBytes: quota}
	if t.AutoMap != nil {
		body.AutoMap = *t.AutoMap
	}
	if body.Name == "" {
		body.Name = t.Slug
	}
	if t.TimeZone != nil {
		body.TimeZone = *t.TimeZone
	}
	var made api.Tenant
	if err := c.post("/etl/tenants", body, &made); err != nil {
		return err
	}
	return a.emit(made, func(w io.Writer) {
		put(w, "created tenant %s (%s)\n", made.Slug, printable(made.Name, maxCell))
		put(w, "next: dropline credential add-key %s FILE.pub, or dropline credential add-password %s\n", made.Slug, made.Slug)
	})
}

// tenantListCmd lists tenants.
type tenantListCmd struct{}

// Help is kong's long text.
func (tenantListCmd) Help() string {
	return `Lists all tenants in the order of their slugs.

Examples:

  dropline tenant list
  dropline tenant list --json | jq -r '.[] | select(.enabled | not) | .slug'`
}

// Run carries the command out.
func (tenantListCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	all, err := c.tenants()
	if err != nil {
		return err
	}
	return a.emit(all, func(w io.Writer) {
		rows := make([][]string, 0, len(all))
		for _, t := range all {
			rows = append(rows, []string{t.Slug, t.Name, t.Schema, t.TimeZone, state(t.Enabled), seconds(t.QuietPeriodSeconds), percent(t.RejectLimit), quotaText(t.QuotaBytes)})
		}
		table(w, []string{"TENANT", "NAME", "SCHEMA", "TIME ZONE", "STATE", "QUIET", "REJECTS", "QUOTA"}, rows)
	})
}

// tenants fetches all of them, in the order of their slugs.
func (c *client) tenants() ([]api.Tenant, error) {
	all := []api.Tenant{}
	err := pages(func(cursor string) (string, bool, error) {
		var page api.TenantPage
		err := c.get("/etl/tenants", withCursor(nil, cursor, pageSize), &page)
		all = append(all, page.Items...)
		return page.NextCursor, true, err
	})
	return all, err
}

func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

func seconds(s float64) string { return time.Duration(s * float64(time.Second)).String() }

func percent(f float64) string { return strconv.FormatFloat(f*100, 'g', 6, 64) + " %" }

func quotaText(n int64) string {
	if n == 0 {
		return "none"
	}
	return size(n)
}

// tenantShowCmd shows a tenant.
type tenantShowCmd struct {
	Slug string `arg:"" help:"The tenant."`
}

// Help is kong's long text.
func (tenantShowCmd) Help() string {
	return `Shows a tenant's settings, what it has stored, and its rows in production by table.

Examples:

  dropline tenant show acme
  dropline tenant show acme --json | jq .production.rows`
}

// Run carries the command out.
func (t *tenantShowCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var out struct {
		api.Tenant
		Production api.Production `json:"production"`
	}
	if err := c.get(pathf("/etl/tenants/%s", t.Slug), nil, &out.Tenant); err != nil {
		return err
	}
	if err := c.get(pathf("/etl/tenants/%s/production", t.Slug), nil, &out.Production); err != nil {
		return err
	}
	return a.emit(out, func(w io.Writer) {
		showTenant(w, out.Tenant)
		showProduction(w, out.Production)
	})
}

func showTenant(w io.Writer, t api.Tenant) {
	put(w, "%s  %s\n", t.Slug, printable(t.Name, maxCell))
	put(w, "  state         %s\n", state(t.Enabled))
	put(w, "  created       %s\n", moment(&t.CreatedAt))
	put(w, "  schema        %s\n", t.Schema)
	put(w, "  time zone     %s\n", t.TimeZone)
	put(w, "  quiet period  %s\n", seconds(t.QuietPeriodSeconds))
	put(w, "  reject limit  %s\n", percent(t.RejectLimit))
	put(w, "  auto map      %s\n", map[bool]string{true: "a clear proposal is used", false: "off"}[t.AutoMap])
	if t.Usage != nil {
		put(w, "  stored        %s in %s, quota %s\n", size(t.Usage.Bytes), plural(t.Usage.Files, "file", "files"), quotaText(t.QuotaBytes))
	}
}

func showProduction(w io.Writer, p api.Production) {
	put(w, "production: %s\n", plural(p.Rows, "row", "rows"))
	rows := [][]string{}
	for _, t := range p.Tables {
		if t.Rows > 0 {
			rows = append(rows, []string{"  " + t.Name, thousands(t.Rows)})
		}
	}
	if len(rows) > 0 {
		table(w, []string{"  TABLE", "ROWS"}, rows)
	}
}

// tenantSetCmd changes a tenant.
type tenantSetCmd struct {
	Slug string  `arg:"" help:"The tenant."`
	Name *string `help:"Its name for people."`
	tenantSettings
}

// Help is kong's long text.
func (tenantSetCmd) Help() string {
	return `Changes a tenant's settings; what is left out stays as it is. Imports that have begun keep the settings they began with.

Examples:

  dropline tenant set acme --quiet-period 0s
  dropline tenant set acme --reject-limit 0.02 --quota 100GB --time-zone Australia/Perth`
}

// Run carries the command out.
func (t *tenantSetCmd) Run(a *app) error {
	quiet, limit, quota, err := t.resolve()
	if err != nil {
		return err
	}
	change := api.TenantChange{Name: t.Name, TimeZone: t.TimeZone, QuietPeriodSeconds: quiet, RejectLimit: limit, QuotaBytes: quota, AutoMap: t.AutoMap}
	if change == (api.TenantChange{}) {
		return usageError("dropline tenant set --help lists what can be set", "nothing to change was given")
	}
	return a.changeTenant(t.Slug, change)
}

func (a *app) changeTenant(slug string, change api.TenantChange) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var changed api.Tenant
	if err := c.call(request{method: http.MethodPatch, path: pathf("/etl/tenants/%s", slug), body: change}, &changed); err != nil {
		return err
	}
	return a.emit(changed, func(w io.Writer) { showTenant(w, changed) })
}

// tenantDisableCmd disables a tenant.
type tenantDisableCmd struct {
	Slug string `arg:"" help:"The tenant."`
}

// Help is kong's long text.
func (tenantDisableCmd) Help() string {
	return `Refuses the tenant's SFTP and API credentials from now on, and loads nothing of it. Its data stays as it is.

Examples:

  dropline tenant disable acme`
}

// Run carries the command out.
func (t *tenantDisableCmd) Run(a *app) error {
	no := false
	return a.changeTenant(t.Slug, api.TenantChange{Enabled: &no})
}

// tenantEnableCmd enables a tenant.
type tenantEnableCmd struct {
	Slug string `arg:"" help:"The tenant."`
}

// Help is kong's long text.
func (tenantEnableCmd) Help() string {
	return `Accepts the tenant's credentials again and loads what had arrived.

Examples:

  dropline tenant enable acme`
}

// Run carries the command out.
func (t *tenantEnableCmd) Run(a *app) error {
	yes := true
	return a.changeTenant(t.Slug, api.TenantChange{Enabled: &yes})
}
