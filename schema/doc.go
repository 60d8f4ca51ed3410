package schema

// The definition format is YAML without anchors, aliases and tags. Unknown keys are refused.
//
//	schema: Efimis                  # name in PascalCase
//	version: "1.0"                  # numbers with points
//	title, description:             # for people
//	manifest:                       # if deliveries say in a file of their own what their files are, as OneRoster's do
//	  file: manifest.csv            # its name; it has the columns propertyName and value
//	  name: oneroster               # its properties are manifest.version, oneroster.version and file.<a table's file>
//	  format: "1.0"                 # what manifest.version must be
//	  version: "1.1"                # what oneroster.version must be, or begin with
//	  delta: [status]               # columns that rows of a delta must have
//	enums:
//	  - name: JournalType
//	    description:
//	    open: "ext:"                # if values of the sender's own are taken that begin so: then names are stored, which may
//	                                # be of any printable characters, and not numbers
//	    values:                     # numbers ascend from 0
//	      - {number: 0, name: Office, description: The firm's own}
//	shared:                         # columns that every table has
//	  first: [...]                  #   before its own
//	  last: [...]                   #   after its own
//	tables:
//	  - name: WorkItem              # PascalCase
//	    plural: WorkItems           # unless English would form it so
//	    file: workItems             # stem of the template's name, unless it is name
//	    sql: work_item              # PostgreSQL name, unless it follows from name
//	    prefix: work_item           # of production ids, unless it is the PostgreSQL name
//	    group: Work                 # heading in the reference
//	    description:
//	    key: ImportId               # a required text(n)
//	    aliases: [time entries]     # further names of files; case, spaces and punctuation do not matter
//	    unique: [[Number]]          # sets of columns, compared among the rows that have all of them
//	    columns:
//	      - name: MatterId          # PascalCase or camelCase
//	        sql: matter_id          # unless it follows from name
//	        type: reference(Matter) # or text, text(n), integer, bigint, decimal(p,s), boolean, date, timestamp,
//	                                # enum(Name), list(Enum,n) separated by semicolons, and separated by commas list(n) of
//	                                # texts, references(Matter)
//	        required: true
//	        description:
//	        example: M1             # a value the column would take
//	        aliases: [Matter Ref]   # further headers
//	        synonyms: [Case Id]     # for proposals of mappings only; tables have them too
//	        modified: true          # a timestamp: when the row was changed last; databases are read incrementally by it
//	        same_as: ImportId       # whose value it takes where a file has none for it
//	        extra: true             # not in the template
//	        deletes: gone           # of an open enumeration: rows that have this value are to be deleted
//	    checks:                     # each of one of three kinds, see CheckKind; for expressions see Expr
//	      - name: work_item_not_negative
//	        severity: error         # or warning
//	        column: Total           # to which a reject is attributed; optional
//	        message:                # what is wrong and what to do
//	        holds: Total >= 0       # RowCheck
//	      - sum: Amount             # SumCheck: the sum of Amount
//	        of: InvoiceLine         #   over the rows of this table
//	        by: InvoiceId           #   that refer to the row by this column
//	        where: Amount > 0       #   and fulfil this; optional
//	        is: "="                 #   or "<=", ">="
//	        to: Total               #   what the row has
//	        skip_empty: true        #   unless there are none
//	      - running: Amount         # RunningCheck: the running sum of Amount
//	        by: MatterId            #   for each value of this column
//	        order: [EntryDate]      #   in this order
//	        where: Amount > 0       #   over the rows that fulfil this; optional
//	    seeds:
//	      columns: [ImportId, Name]
//	      rows:
//	        - [A, First]            # null where there is no value
