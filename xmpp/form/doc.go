// Package form is the language of data forms (XEP-0004): forms to fill in, what
// people filled in, and results.
//
// A feature says what it asks as a [Form] and writes it with Form.AppendForm.
// What comes back is read with [Parse] and held against the form with
// Form.Check; it then has everything that is required, and of the right kind. A
// result is a Form too, or a [Table] if it has rows.
package form
