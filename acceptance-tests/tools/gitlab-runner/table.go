package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// table is a table of TOML as it was read. Whatever this program does not know stays in it.
type table map[string]any

func asTable(value any) table {
	switch value := value.(type) {
	case map[string]any:
		return value
	case table:
		return value
	}
	return nil
}

// sub is a table below this one, nil where there is none.
func (t table) sub(name string) table { return asTable(t[name]) }

// tables is an array of tables.
func (t table) tables(name string) []table {
	switch value := t[name].(type) {
	case []map[string]any:
		result := make([]table, len(value))
		for index, one := range value {
			result[index] = one
		}
		return result
	case []any:
		var result []table
		for _, one := range value {
			if one := asTable(one); one != nil {
				result = append(result, one)
			}
		}
		return result
	}
	return nil
}

func (t table) text(name string) string {
	value, _ := t[name].(string)
	return value
}

// number is an integer, or the default where there is none.
func (t table) number(name string, otherwise int64) int64 {
	switch value := t[name].(type) {
	case int64:
		return value
	case float64:
		return int64(value)
	}
	return otherwise
}

func (t table) flag(name string, otherwise bool) bool {
	if value, ok := t[name].(bool); ok {
		return value
	}
	return otherwise
}

// pointers are for fields of Kubernetes in which unset differs from zero.
func (t table) flagPointer(name string) *bool {
	if value, ok := t[name].(bool); ok {
		return &value
	}
	return nil
}

func (t table) numberPointer(name string) *int64 {
	if value, ok := t[name].(int64); ok {
		return &value
	}
	return nil
}

func (t table) textPointer(name string) *string {
	if value, ok := t[name].(string); ok {
		return &value
	}
	return nil
}

// list is an array of texts; a single text counts as an array of one.
func (t table) list(name string) []string {
	switch value := t[name].(type) {
	case string:
		return []string{value}
	case []string:
		return value
	case []any:
		result := make([]string, 0, len(value))
		for _, one := range value {
			result = append(result, fmt.Sprint(one))
		}
		return result
	}
	return nil
}

// texts is a table of texts.
func (t table) texts(name string) map[string]string {
	from := t.sub(name)
	if len(from) == 0 {
		return nil
	}
	result := make(map[string]string, len(from))
	for key, value := range from {
		result[key] = fmt.Sprint(value)
	}
	return result
}

// put sets a value by a path with dots and makes the tables on the way.
func (t table) put(path string, value any) {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		t[first] = value
		return
	}
	below := t.sub(first)
	if below == nil {
		below = table{}
		t[first] = map[string]any(below)
	}
	below.put(rest, value)
}

// fill takes over what is missing here, or empty, from another table; tables are merged at every depth.
func (t table) fill(from table) {
	for name, value := range from {
		here, there := t.sub(name), asTable(value)
		switch {
		case here != nil && there != nil:
			here.fill(there)
		case isEmpty(t[name]):
			t[name] = value
		}
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	}
	return false
}

// decode fills a type of Kubernetes from a table whose keys are in snake case.
func (t table) decode(into any) error {
	text, err := json.Marshal(camelKeys(map[string]any(t)))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// mapsOfUsers are tables whose keys are the user's own.
var mapsOfUsers = map[string]bool{"match_labels": true}

func camelKeys(value any) any {
	switch value := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(value))
		for name, below := range value {
			if mapsOfUsers[name] {
				result[camel(name)] = below
			} else {
				result[camel(name)] = camelKeys(below)
			}
		}
		return result
	case []map[string]any:
		result := make([]any, len(value))
		for index, one := range value {
			result[index] = camelKeys(one)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for index, one := range value {
			result[index] = camelKeys(one)
		}
		return result
	}
	return value
}

func camel(name string) string {
	parts := strings.Split(name, "_")
	for index, part := range parts[1:] {
		if part != "" {
			parts[index+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}
