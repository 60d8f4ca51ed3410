package tdstest

// statement is one of a batch.
type statement interface{ statement() }

type (
	setStmt       struct{}
	isolationStmt struct{ level isolation }
	useStmt       struct{ database string }
	tranStmt      struct{ kind byte } // envBegin, envCommit, envRollback
	// printStmt sends a text as INFO.
	printStmt struct{ text node }
	// waitStmt is WAITFOR DELAY.
	waitStmt struct{ delay string }
	// raiseStmt is THROW or RAISERROR with constants.
	raiseStmt struct{ err *Error }
)

func (setStmt) statement()       {}
func (isolationStmt) statement() {}
func (useStmt) statement()       {}
func (tranStmt) statement()      {}
func (printStmt) statement()     {}
func (waitStmt) statement()      {}
func (raiseStmt) statement()     {}
func (*selectStmt) statement()   {}

// selectStmt is a SELECT.
type selectStmt struct {
	distinct      bool
	top           node
	items         []selectItem
	from          []fromItem
	where, having node
	groupBy       []node
	orderBy       []orderItem
	offset, fetch node
	union         *selectStmt // UNION ALL with this
}

type selectItem struct {
	star   bool
	starOf string
	expr   node
	alias  string
}

type fromItem struct {
	name  []string // [db.][schema.]table
	sub   *selectStmt
	alias string
	left  bool
	on    node
}

type orderItem struct {
	expr node
	desc bool
}

// node is an expression as it was written.
type node interface{ node() }

type (
	literal struct {
		value any
		typ   sqlType
	}
	columnRef struct{ parts []string }
	paramRef  struct{ name string }
	globalRef struct{ name string }
	callNode  struct {
		name     string
		args     []node
		star     bool
		distinct bool
	}
	castNode struct {
		expr  node
		typ   sqlType
		style node
		try   bool
	}
	binaryNode struct {
		op          string
		left, right node
	}
	unaryNode struct { // "-", "not"
		op   string
		expr node
	}
	inNode struct {
		expr node
		list []node
		sub  *selectStmt
		not  bool
	}
	nullNode struct {
		expr node
		not  bool
	}
	likeNode struct {
		expr, pattern, escape node
		not                   bool
	}
	caseNode struct {
		subject node
		when    [][2]node
		other   node
	}
	subqueryNode struct {
		sel    *selectStmt
		exists bool
	}
)

func (literal) node()      {}
func (columnRef) node()    {}
func (paramRef) node()     {}
func (globalRef) node()    {}
func (callNode) node()     {}
func (castNode) node()     {}
func (binaryNode) node()   {}
func (unaryNode) node()    {}
func (inNode) node()       {}
func (nullNode) node()     {}
func (likeNode) node()     {}
func (caseNode) node()     {}
func (subqueryNode) node() {}
