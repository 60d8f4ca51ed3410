package main

import (
	"io"
	"runtime"
	"runtime/debug"

	"dropline/schema"
)

// versionCmd shows the version.
type versionCmd struct{}

// Help is kong's long text.
func (versionCmd) Help() string {
	return `Shows the program's version, the Go it was built with and the schemas it comes with.

Examples:

  dropline version
  dropline version --json`
}

// Run carries the command out.
func (versionCmd) Run(a *app) error {
	v := struct {
		Version  string   `json:"version"`
		Go       string   `json:"go"`
		Platform string   `json:"platform"`
		Revision string   `json:"revision,omitempty"`
		Schemas  []string `json:"schemas"`
	}{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	for _, s := range schema.Builtin() {
		v.Schemas = append(v.Schemas, s.ID())
	}
	return a.emit(v, func(w io.Writer) {
		put(w, "dropline %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	})
}
