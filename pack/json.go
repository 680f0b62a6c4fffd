package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A value is a JSON value that knows where it stands. encoding/json alone
// reports one wrong type at most, and no place for a field that is missing.
type value struct {
	offset int    // of its first byte
	kind   string // for people: "an object"
	scalar any    // string, json.Number, bool or nil
	object map[string]value
	array  []value
}

// maxDepth bounds how deep JSON may nest.
const maxDepth = 32

// A jsonParser parses one JSON value.
type jsonParser struct {
	data    []byte
	decoder *json.Decoder
}

// parseJSON parses exactly one JSON value. If it fails, the offset is where.
func parseJSON(data []byte) (v value, offset int, err error) {
	p := jsonParser{data, json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	v, err = p.value(0)
	if err == nil {
		if p.next() == len(data) {
			return v, 0, nil
		}
		err = errors.New("something follows the JSON value")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return v, len(data), errors.New("the JSON value is cut off")
	}
	return v, p.next(), err
}

// next returns the offset of the next token.
func (p *jsonParser) next() int {
	at := int(p.decoder.InputOffset())
	return len(p.data) - len(bytes.TrimLeft(p.data[at:], " \t\r\n:,"))
}

func (p *jsonParser) value(depth int) (value, error) {
	v := value{offset: p.next()}
	token, err := p.decoder.Token()
	if err != nil {
		return v, err
	}
	if depth == maxDepth {
		return v, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			v.kind, v.object = "an object", map[string]value{}
			err = p.object(v.object, depth+1)
		} else {
			v.kind = "a list"
			v.array, err = p.array(depth + 1)
		}
		if err == nil {
			_, err = p.decoder.Token() // the closing bracket
		}
		return v, err
	case string:
		v.kind = "a string"
	case json.Number:
		v.kind = "a number"
	case bool:
		v.kind = "true or false"
	default:
		v.kind = "null"
	}
	v.scalar = token
	return v, nil
}

func (p *jsonParser) object(into map[string]value, depth int) error {
	for p.decoder.More() {
		key, err := p.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // the decoder lets nothing else pass
		if _, ok := into[name]; ok {
			return fmt.Errorf("key %q occurs twice", name)
		}
		if into[name], err = p.value(depth); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonParser) array(depth int) ([]value, error) {
	items := []value{}
	for p.decoder.More() {
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// position returns the line and the column, both from 1, of an offset.
func position(data []byte, offset int) (line, column int) {
	before := data[:offset]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
