package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"dropline/api"
)

// uploadCmd sends files.
type uploadCmd struct {
	Files  []string `arg:"" help:"Files to send." name:"file"`
	Tenant string   `help:"For whom; needed with the operator's credential." placeholder:"TENANT"`
	To     string   `help:"Folder below the inbox." placeholder:"FOLDER"`
}

// Help is kong's long text.
func (uploadCmd) Help() string {
	return `Sends files over HTTP, as SFTP would: each is answered once it is durable, and the files that arrive within the tenant's
quiet period become one import. dropline status --watch waits for it and follows it.

Examples:

  dropline upload --tenant acme export/*.csv
  dropline upload --tenant acme --to daily Matters.csv`
}

// Run carries the command out.
func (c *uploadCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	files, err := namedFiles(c.Files)
	if err != nil {
		return err
	}
	sent := []api.Drop{}
	for _, path := range files {
		drop, err := c.send(cl, path)
		if err != nil {
			return err
		}
		sent = append(sent, drop)
		a.say("sent %s (%s) as %s%s", path, size(drop.Size), drop.Path, dropNote(drop))
	}
	if a.json {
		return a.emitJSON(sent)
	}
	for i := range sent {
		if sent[i].State == "pending" && sent[i].RequestID == "" {
			a.say("next: dropline status latest --tenant %s --watch", sent[i].Tenant)
			break
		}
	}
	return nil
}

func dropNote(d api.Drop) string {
	switch {
	case d.DuplicateOf != "":
		return ": a duplicate of " + d.DuplicateOf + ", not loaded again"
	case d.RequestID != "":
		return ", in " + d.RequestID
	}
	return ""
}

// send sends one file. A regular file's length is told beforehand, so that a file that shrinks meanwhile is no whole one.
func (c *uploadCmd) send(cl *client, path string) (api.Drop, error) {
	var drop api.Drop
	f, err := os.Open(path)
	if err != nil {
		return drop, err
	}
	defer quietly(f.Close)
	info, err := f.Stat()
	if err != nil {
		return drop, err
	}
	if info.IsDir() {
		return drop, usageError("name its files: "+filepath.Join(path, "*"), "%s is a directory", path)
	}
	length := int64(-1)
	if info.Mode().IsRegular() {
		length = info.Size()
	}
	name := filepath.Base(path)
	if folder := strings.Trim(c.To, "/"); folder != "" {
		name = folder + "/" + name
	}
	segments := strings.Split(name, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	// NopCloser: the file is closed here, after the answer.
	var body io.Reader = io.NopCloser(f)
	if length == 0 {
		body = http.NoBody
	}
	return drop, cl.call(request{
		method: http.MethodPut, path: "/etl/files/" + strings.Join(segments, "/"), query: tenantQuery(c.Tenant),
		raw: body, length: length, contentType: "text/csv",
	}, &drop)
}
