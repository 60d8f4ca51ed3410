package schema

import "gopkg.in/yaml.v3"

// checks reads the checks of every table: they may speak of any of them.
func (p *reader) checks() {
	first := map[string]*yaml.Node{}
	for _, t := range p.schema.Tables {
		for _, n := range p.items(field(p.nodes[t], "checks"), "checks", maxChecks) {
			check := p.check(t, n)
			if other := first[check.Name]; other != nil && check.Name != "" {
				p.fault(n, "check %s is declared twice, first in line %d", check.Name, other.Line)
			}
			first[check.Name] = n
			t.Checks = append(t.Checks, check)
		}
	}
}

// field is the value of a key in a mapping that has been read before.
func field(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (p *reader) check(t *Table, n *yaml.Node) *Check {
	f := p.mapping(
		n, "a check", "name", "severity", "column", "message",
		"holds", "sum", "of", "by", "is", "to", "where", "skip_empty", "running", "order",
	)
	check := &Check{Name: p.text(f["name"], "name"), Message: p.text(f["message"], "message"), Column: p.text(f["column"], "column")}
	if !isSnakeCase(check.Name) || len(check.Name) > maxName {
		p.fault(or(f["name"], n), "a check of table %s needs a name in snake_case, not %q", t.Name, brief(check.Name))
		return check
	}
	switch severity := p.text(f["severity"], "severity"); severity {
	case "error":
		check.Severity = Error
	case "warning":
		check.Severity = Warning
	default:
		p.fault(or(f["severity"], n), "check %s: severity must be error or warning, not %q", check.Name, brief(severity))
	}
	if check.Message == "" {
		p.fault(n, "check %s needs a message that says what is wrong", check.Name)
	}
	if check.Column != "" && t.Column(check.Column) == nil {
		p.fault(f["column"], "check %s: table %s has no column %s", check.Name, t.Name, brief(check.Column))
	}
	switch {
	case f["holds"] != nil && p.only(check, f, "holds"):
		check.Kind, check.Expr = RowCheck, p.condition(check, f["holds"], t)
	case f["sum"] != nil && p.only(check, f, "sum", "of", "by", "is", "to", "where", "skip_empty"):
		p.sumCheck(t, check, n, f)
	case f["running"] != nil && p.only(check, f, "running", "by", "order", "where"):
		p.runningCheck(t, check, n, f)
	case f["holds"] == nil && f["sum"] == nil && f["running"] == nil:
		p.fault(n, "check %s needs one of holds, sum and running", check.Name)
	}
	return check
}

// only reports whether no key of another kind of check is there.
func (p *reader) only(check *Check, f map[string]*yaml.Node, keys ...string) bool {
	keys = append(keys, "name", "severity", "column", "message")
	ok := true
	for key, n := range f {
		if !contains(keys, key) {
			p.fault(n, "check %s: %s does not go with %s", check.Name, key, keys[0])
			ok = false
		}
	}
	return ok
}

// sumCheck reads a comparison of a whole with the sum of its parts.
func (p *reader) sumCheck(t *Table, check *Check, n *yaml.Node, f map[string]*yaml.Node) {
	check.Kind, check.Op, check.SkipEmpty = SumCheck, p.text(f["is"], "is"), p.boolean(f["skip_empty"], "skip_empty")
	if !contains([]string{"=", "<=", ">="}, check.Op) {
		p.fault(or(f["is"], n), `check %s: is must be "=", "<=" or ">=", not %q`, check.Name, brief(check.Op))
	}
	check.Expr = p.numeric(check, or(f["to"], n), t, f["to"] != nil)
	child := p.text(f["of"], "of")
	check.Child = p.tables[child]
	if check.Child == nil {
		p.fault(or(f["of"], n), "check %s: there is no table %q to sum", check.Name, brief(child))
		return
	}
	by := p.text(f["by"], "by")
	check.By = check.Child.Column(by)
	if check.By == nil || check.By.Kind != Reference || check.By.References != t {
		p.fault(or(f["by"], n), "check %s: by must be a column of %s that refers to %s, not %q", check.Name, child, t.Name, brief(by))
	}
	check.Sum = p.numeric(check, f["sum"], check.Child, true)
	if f["where"] != nil {
		check.Where = p.condition(check, f["where"], check.Child)
	}
}

// runningCheck reads a running sum that must not fall below zero.
func (p *reader) runningCheck(t *Table, check *Check, n *yaml.Node, f map[string]*yaml.Node) {
	check.Kind = RunningCheck
	by := p.text(f["by"], "by")
	check.By = t.Column(by)
	if check.By == nil || check.By.Kind == List || check.By == t.Key {
		p.fault(or(f["by"], n), "check %s: by must be a column of %s by which rows belong together, not %q", check.Name, t.Name, brief(by))
	}
	for _, name := range p.texts(f["order"], "order", maxUniqueWidth) {
		c := t.Column(name)
		if c == nil || c.Kind == List {
			p.fault(f["order"], "check %s: table %s cannot be ordered by %q", check.Name, t.Name, brief(name))
			continue
		}
		check.OrderBy = append(check.OrderBy, c)
	}
	if len(check.OrderBy) == 0 {
		p.fault(or(f["order"], n), "check %s: a running sum needs an order", check.Name)
	}
	check.Sum = p.numeric(check, f["running"], t, true)
	if f["where"] != nil {
		check.Where = p.condition(check, f["where"], t)
	}
}

func (p *reader) condition(check *Check, n *yaml.Node, t *Table) *Expr {
	e, err := ParseCondition(p.text(n, "a condition"), t)
	if err != nil {
		p.fault(n, "check %s: %v", check.Name, err)
	}
	return e
}

func (p *reader) numeric(check *Check, n *yaml.Node, t *Table, given bool) *Expr {
	if !given {
		p.fault(n, "check %s needs what the sum is compared with, in to", check.Name)
		return nil
	}
	e, err := ParseNumber(p.text(n, "a number"), t)
	if err != nil {
		p.fault(n, "check %s: %v", check.Name, err)
	}
	return e
}
