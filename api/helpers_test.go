package api_test

import "strconv"

// aMapping is a small mapping file without faults.
const aMapping = `version: 1
files:
  - pattern: "Customer*.csv"
    table: Contact
    columns:
      ImportId: CustomerId
`

func itoa(n int) string { return strconv.Itoa(n) }
