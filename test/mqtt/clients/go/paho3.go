package main

import (
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// paho3 speaks MQTT 3.1.1.
type paho3 struct{ mqtt.Client }

func connect3(given options) (client, error) {
	settings := mqtt.NewClientOptions().
		AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", given.port)).
		SetProtocolVersion(uint(given.version)).
		SetClientID(given.id).
		SetUsername(given.user).
		SetPassword(given.password).
		SetAutoReconnect(false)
	connected := paho3{mqtt.NewClient(settings)}
	return connected, done(connected.Connect())
}

func (c paho3) subscribe(filter string, qos byte) (byte, error) {
	token := c.Subscribe(filter, qos, func(_ mqtt.Client, message mqtt.Message) {
		heard(message.Qos(), message.Topic(), message.Payload())
	})
	if err := done(token); err != nil {
		return 0, err
	}
	return token.(*mqtt.SubscribeToken).Result()[filter], nil
}

func (c paho3) publish(topic string, qos byte, message string) (byte, error) {
	return 0, done(c.Publish(topic, qos, false, message))
}

func (c paho3) disconnect() error {
	// In milliseconds, for what is still on its way.
	c.Disconnect(250)
	return nil
}

func done(token mqtt.Token) error {
	if !token.WaitTimeout(patience) {
		return fmt.Errorf("no answer within %s", patience)
	}
	return token.Error()
}
