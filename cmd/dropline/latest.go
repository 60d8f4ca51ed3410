package main

import (
	"net/http"
	"time"

	"dropline/api"
)

// latest stands for the newest import on the command line.
const latest = "latest"

// importChoice names an import.
type importChoice struct {
	ID     string `arg:"" optional:"" help:"The import, or latest." default:"latest"`
	Tenant string `help:"With latest: of this tenant." placeholder:"TENANT"`
}

// namedImport names an import on which something is done: to leave its name out must not do it to whichever is the newest.
type namedImport struct {
	ID     string `arg:"" help:"The import, or latest."`
	Tenant string `help:"With latest: of this tenant." placeholder:"TENANT"`
}

// find is importChoice's.
func (c *namedImport) find(a *app) (*client, string, error) {
	return (&importChoice{ID: c.ID, Tenant: c.Tenant}).find(a)
}

// find returns the id of the import that is meant, and a client that asks about it.
func (c *importChoice) find(a *app) (*client, string, error) {
	cl, err := a.client()
	if err != nil {
		return nil, "", err
	}
	id, err := c.resolve(cl)
	return cl, id, err
}

// resolve returns the id of the import that is meant.
func (c *importChoice) resolve(cl *client) (string, error) {
	if c.ID != latest {
		return c.ID, nil
	}
	var page api.ImportPage
	if err := cl.get("/etl/imports", withCursor(tenantQuery(c.Tenant), "", 1), &page); err != nil {
		return "", err
	}
	if len(page.Items) > 0 {
		return page.Items[0].RequestID, nil
	}
	arriving, err := c.arriving(cl)
	if err != nil {
		return "", err
	}
	if arriving > 0 {
		return "", failed("dropline status --watch waits for it", "there is no import yet: %s", arrivingText(arriving))
	}
	return "", failed("upload a file first", "there is no import yet")
}

// await is resolve for one who follows an import: files that arrived and are in none yet are what the latest one is going to
// be, so it is waited for. Otherwise whoever uploads and then follows would be told about the import before.
func (c *importChoice) await(a *app, cl *client, timeout time.Duration) (string, error) {
	if c.ID != latest {
		return c.ID, nil
	}
	var deadline <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		deadline = timer.C
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var arriving int64
	var patient patience
	for told := false; ; {
		now, err := c.arriving(cl)
		if !patient.bears(err) {
			return "", err
		}
		if err == nil {
			if arriving = now; arriving == 0 {
				return c.resolve(cl)
			}
		}
		if !told {
			a.say("waiting: %s", arrivingText(arriving))
			told = true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return "", failed("it begins by itself; look again with dropline status", "no import has begun after %s: %s", timeout, arrivingText(arriving))
		case <-a.ctx.Done():
			return "", a.ctx.Err()
		}
	}
}

// arriving counts the files that have arrived and are in no import yet, of the tenant or of all that are loaded; at most a
// page of each.
func (c *importChoice) arriving(cl *client) (int64, error) {
	tenants := []string{c.Tenant}
	if c.Tenant == "" {
		all, err := cl.tenants()
		switch {
		case hasStatus(err, http.StatusForbidden): // a tenant's own client, which needs no name
		case err != nil:
			return 0, err
		default:
			tenants = enabled(all)
		}
	}
	var n int64
	for _, tenant := range tenants {
		var page api.DropPage
		if err := cl.get("/etl/drops", withCursor(tenantQuery(tenant), "", pageSize), &page); err != nil {
			return 0, err
		}
		for _, d := range page.Items {
			if d.State == "pending" && d.RequestID == "" {
				n++
			}
		}
	}
	return n, nil
}

// arrivingText says what files that are in no import yet are waiting for.
func arrivingText(n int64) string {
	return plural(n, "file has", "files have") + " arrived; the import begins once nothing more has for the tenant's quiet period"
}

// enabled returns the slugs of the tenants that are loaded.
func enabled(tenants []api.Tenant) []string {
	var slugs []string
	for i := range tenants {
		if tenants[i].Enabled {
			slugs = append(slugs, tenants[i].Slug)
		}
	}
	return slugs
}
