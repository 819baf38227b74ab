// SPDX-License-Identifier: LGPL-2.1-or-later

package main

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
	"github.com/rs/xid"
)

// What conic's programs have: the hub's limit of a message, and how long it may be silent.
const (
	maxMessageBytes = 512 * 1024
	readTimeout     = 90 * time.Second
	pingInterval    = 15 * time.Second
)

type message struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	ReplyTo   string          `json:"reply_to,omitempty"`
	Data      json.RawMessage `json:"data"`
}

type registration struct {
	ClientID string `json:"client_id,omitempty"`
	Success  bool   `json:"success,omitempty"`
}

type description struct {
	FromID             string                    `json:"from_id"`
	ToID               string                    `json:"to_id"`
	SessionDescription webrtc.SessionDescription `json:"session_description"`
}

type candidate struct {
	FromID    string                  `json:"from_id"`
	ToID      string                  `json:"to_id"`
	Candidate webrtc.ICECandidateInit `json:"candidate"`
}

type failure struct {
	Code string `json:"code"`
	ToID string `json:"to_id"`
}

// signaling is the connection to the hub.
type signaling struct {
	id         string
	connection *websocket.Conn
	writing    sync.Mutex // gorilla's connections take one writer at a time
}

func dial(uri, id string) (*signaling, error) {
	connection, _, err := websocket.DefaultDialer.Dial(uri, nil)
	if err != nil {
		return nil, err
	}
	s := &signaling{id: id, connection: connection}
	connection.SetReadLimit(maxMessageBytes)
	connection.SetReadDeadline(time.Now().Add(readTimeout))
	connection.SetPongHandler(func(string) error {
		return connection.SetReadDeadline(time.Now().Add(readTimeout))
	})
	go s.ping()
	return s, nil
}

func (s *signaling) ping() {
	for range time.Tick(pingInterval) {
		s.writing.Lock()
		err := s.connection.WriteMessage(websocket.PingMessage, nil)
		s.writing.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *signaling) send(kind string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text, err := json.Marshal(message{ID: xid.New().String(), Type: kind, Timestamp: time.Now(), Data: body})
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.connection.WriteMessage(websocket.TextMessage, text)
}

// read hands what comes to the peer until the connection ends. Types it doesn't know it reports and passes over.
func (s *signaling) read(p *peer) {
	for {
		_, text, err := s.connection.ReadMessage()
		if err != nil {
			report("hub-closed", map[string]any{"error": err.Error()})
			return
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			report("unreadable", map[string]any{"error": err.Error()})
			continue
		}
		if err := s.dispatch(p, &m); err != nil {
			report("failed", map[string]any{"type": m.Type, "error": err.Error()})
		}
	}
}

func (s *signaling) dispatch(p *peer, m *message) error {
	switch m.Type {
	case "register_response", "unregister_response":
		var r registration
		if err := json.Unmarshal(m.Data, &r); err != nil {
			return err
		}
		report(m.Type, map[string]any{"id": r.ClientID, "success": r.Success, "timestamp": m.Timestamp})
	case "sdp":
		var d description
		if err := json.Unmarshal(m.Data, &d); err != nil {
			return err
		}
		report("sdp", map[string]any{"from": d.FromID, "type": d.SessionDescription.Type.String()})
		return p.onDescription(d.FromID, d.SessionDescription)
	case "candidate":
		var c candidate
		if err := json.Unmarshal(m.Data, &c); err != nil {
			return err
		}
		report("candidate", map[string]any{"from": c.FromID, "early": p.connection.RemoteDescription() == nil})
		return p.onCandidate(c.Candidate)
	case "error":
		var f failure
		if err := json.Unmarshal(m.Data, &f); err != nil {
			return err
		}
		report("error", map[string]any{"code": f.Code, "to": f.ToID, "reply_to": m.ReplyTo})
	default:
		report("unknown", map[string]any{"type": m.Type})
	}
	return nil
}

// close hangs up without a close frame, as conic's programs do.
func (s *signaling) close() {
	s.connection.Close()
}
