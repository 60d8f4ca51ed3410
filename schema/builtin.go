package schema

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
)

//go:embed efimis-1.0.yaml
var efimis10 []byte

//go:embed oneroster-1.1.yaml
var oneRoster11 []byte

//go:embed oneroster-1.2.yaml
var oneRoster12 []byte

var (
	parseEfimis10    = embedded("efimis-1.0.yaml", efimis10)
	parseOneRoster11 = embedded("oneroster-1.1.yaml", oneRoster11)
	parseOneRoster12 = embedded("oneroster-1.2.yaml", oneRoster12)
)

// embedded reads a definition that comes with the program, once, when it is first asked for.
func embedded(name string, text []byte) func() *Schema {
	return sync.OnceValue(func() *Schema {
		s, err := Parse(name, bytes.NewReader(text))
		if err != nil {
			panic("schema: the embedded definition is faulty:\n" + err.Error()) // a build that fails its own tests
		}
		return s
	})
}

// Efimis10 is Efimis-1.0, a law firm's practice and finance. It is read once, when first asked for.
func Efimis10() *Schema { return parseEfimis10() }

// Builtin returns the schemas that come with the program.
func Builtin() []*Schema { return []*Schema{Efimis10(), OneRoster11(), OneRoster12()} }

// OneRoster11 is OneRoster-1.1, a school's rosters and grades as 1EdTech's standard has them in CSV files. It is read once, when first
// asked for.
func OneRoster11() *Schema { return parseOneRoster11() }

// OneRoster12 is the same of OneRoster-1.2.
func OneRoster12() *Schema { return parseOneRoster12() }

// Catalogue is the set of schemas a server offers: those built in and those its operator loaded. It is filled at start
// and not changed afterwards, so that readers need no lock.
type Catalogue struct {
	byName map[string]*Schema // by lower-case ID, which is also the lower-case FileStem
}

// NewCatalogue returns a catalogue of the built-in schemas.
func NewCatalogue() *Catalogue {
	c := &Catalogue{byName: map[string]*Schema{}}
	for _, s := range Builtin() {
		c.byName[strings.ToLower(s.ID())] = s
	}
	return c
}

// Lookup finds a schema by ID or file stem, whatever the case.
func (c *Catalogue) Lookup(id string) (*Schema, bool) {
	s, ok := c.byName[strings.ToLower(id)]
	return s, ok
}

// Add takes in a schema. A second one of the same ID is refused: which of them a tenant meant would be anybody's guess.
func (c *Catalogue) Add(s *Schema) error {
	id := strings.ToLower(s.ID())
	if c.byName[id] != nil {
		return fmt.Errorf("schema %s is there already: give the definition another version", s.ID())
	}
	c.byName[id] = s
	return nil
}

// LoadFile reads the definition in a file and takes it in.
func (c *Catalogue) LoadFile(path string) (*Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	s, err := Parse(path, f)
	if err != nil {
		return nil, err
	}
	if err := c.Add(s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// All returns the schemas in the order of their IDs.
func (c *Catalogue) All() []*Schema {
	out := make([]*Schema, 0, len(c.byName))
	for _, s := range c.byName {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID() < out[j].ID() })
	return out
}
