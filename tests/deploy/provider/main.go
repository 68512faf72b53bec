// schemaprov - a Terraform provider that knows the schema of a real one and nothing else.
//
// Terraform's core asks it as it would ask the real provider, so init, validate, test, plan
// and apply run unchanged; what only the cloud could know is made up from values.json beside
// the binary ("type.attribute", or "attribute" for any type), else from the attribute's name.
// It never talks to anything.
package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"path/filepath"
	"strings"

	v5 "github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The shape of `terraform providers schema -json`.
type attribute struct {
	Type                         json.RawMessage
	Required, Optional, Computed bool
}

type nestedBlock struct {
	NestingMode string `json:"nesting_mode"`
	Block       block
	MinItems    int64 `json:"min_items"`
	MaxItems    int64 `json:"max_items"`
}

type block struct {
	Attributes map[string]attribute
	BlockTypes map[string]nestedBlock `json:"block_types"`
}

type schema struct {
	Block block
}

type schemas struct {
	Provider    schema
	Resources   map[string]schema `json:"resource_schemas"`
	DataSources map[string]schema `json:"data_source_schemas"`
}

var nesting = map[string]v5.SchemaNestedBlockNestingMode{
	"single": v5.SchemaNestedBlockNestingModeSingle,
	"list":   v5.SchemaNestedBlockNestingModeList,
	"set":    v5.SchemaNestedBlockNestingModeSet,
	"map":    v5.SchemaNestedBlockNestingModeMap,
}

func (b block) proto() *v5.SchemaBlock {
	out := &v5.SchemaBlock{}
	for name, a := range b.Attributes {
		kind, err := tftypes.ParseJSONType(a.Type)
		if err != nil {
			log.Fatalf("schema: %s: %v", name, err)
		}
		out.Attributes = append(out.Attributes, &v5.SchemaAttribute{Name: name, Type: kind,
			Required: a.Required, Optional: a.Optional, Computed: a.Computed})
	}
	for name, n := range b.BlockTypes {
		out.BlockTypes = append(out.BlockTypes, &v5.SchemaNestedBlock{TypeName: name,
			Block: n.Block.proto(), Nesting: nesting[n.NestingMode],
			MinItems: n.MinItems, MaxItems: n.MaxItems})
	}
	return out
}

func (s schema) proto() *v5.Schema { return &v5.Schema{Block: s.Block.proto()} }

// computedAt tells whether the cloud would fill in what the path leads to.
func (b block) computedAt(path *tftypes.AttributePath) bool {
	steps := path.Steps()
	for i, step := range steps {
		name, ok := step.(tftypes.AttributeName)
		if !ok {
			continue
		}
		if a, ok := b.Attributes[string(name)]; ok {
			return a.Computed && i == len(steps)-1
		}
		b = b.BlockTypes[string(name)].Block
	}
	return false
}

type change func(*tftypes.AttributePath, tftypes.Value) tftypes.Value

func (s schema) transform(dv *v5.DynamicValue, f change) (*v5.DynamicValue, error) {
	kind := s.proto().ValueType()
	value, err := dv.Unmarshal(kind)
	if err != nil || value.IsNull() {
		return dv, err
	}
	value, err = tftypes.Transform(value, func(p *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		return f(p, v), nil
	})
	if err != nil {
		return nil, err
	}
	out, err := v5.NewDynamicValue(kind, value)
	return &out, err
}

func (s schema) leaveOpen(p *tftypes.AttributePath, v tftypes.Value) tftypes.Value {
	if v.IsNull() && s.Block.computedAt(p) {
		return tftypes.NewValue(v.Type(), tftypes.UnknownValue)
	}
	return v
}

// Prefixes of EC2 ids, for what is checked by its prefix.
var idPrefix = map[string]string{
	"aws_instance": "i-", "aws_launch_template": "lt-", "aws_subnet": "subnet-", "aws_vpc": "vpc-",
	"aws_security_group": "sg-", "aws_efs_file_system": "fs-", "aws_ebs_volume": "vol-",
	"aws_ec2_capacity_reservation": "cr-",
}

func invent(typ, name string, hash uint32) string {
	id := fmt.Sprintf("%08x%09x", hash, hash)
	switch {
	case name == "arn" || strings.HasSuffix(name, "_arn"):
		words := strings.SplitN(strings.TrimPrefix(typ, "data."), "_", 3)
		return fmt.Sprintf("arn:aws:%s:us-east-1:123456789012:%s/%s", words[1], typ, id)
	case name == "id" && idPrefix[typ] != "":
		return idPrefix[typ] + id
	case name == "private_ip":
		return fmt.Sprintf("10.20.%d.%d", 16+hash>>8%16, 4+hash%250)
	case name == "public_ip":
		return fmt.Sprintf("198.51.100.%d", 1+hash%250)
	}
	return fmt.Sprintf("%s.%s-%08x", typ, name, hash)
}

// fill puts what differs between resources into a given value.
func fill(text string, hash uint32) string {
	return strings.NewReplacer("{hash}", fmt.Sprintf("%08x", hash),
		"{private_ip}", invent("", "private_ip", hash)).Replace(text)
}

// list makes a list of the given texts, an empty one without any.
func list(kind tftypes.Type, given any, hash uint32) tftypes.Value {
	texts, _ := given.([]any)
	values := []tftypes.Value{}
	for _, text := range texts {
		values = append(values, tftypes.NewValue(tftypes.String, fill(text.(string), hash)))
	}
	return tftypes.NewValue(kind, values)
}

type server struct {
	v5.ProviderServer // what Terraform never calls here stays unimplemented
	s                 schemas
	values            map[string]any
}

// known turns what is still open into a made-up value; the same configuration gets the same.
func (p server) known(typ string, seed []byte) change {
	h := fnv.New32a()
	h.Write(seed)
	return func(path *tftypes.AttributePath, v tftypes.Value) tftypes.Value {
		if v.IsKnown() {
			return v
		}
		name := "element"
		if last, ok := path.LastStep().(tftypes.AttributeName); ok {
			name = string(last)
		}
		given, ok := p.values[typ+"."+name]
		if !ok {
			given = p.values[name]
		}
		switch {
		case v.Type().Is(tftypes.String):
			if text, ok := given.(string); ok {
				return tftypes.NewValue(tftypes.String, fill(text, h.Sum32()))
			}
			return tftypes.NewValue(tftypes.String, invent(typ, name, h.Sum32()))
		case v.Type().Is(tftypes.Number):
			if number, ok := given.(float64); ok {
				return tftypes.NewValue(tftypes.Number, number)
			}
			return tftypes.NewValue(tftypes.Number, 1)
		case v.Type().Is(tftypes.List{}), v.Type().Is(tftypes.Set{}):
			return list(v.Type(), given, h.Sum32())
		case v.Type().Is(tftypes.Map{}):
			return tftypes.NewValue(v.Type(), map[string]tftypes.Value{})
		}
		return tftypes.NewValue(v.Type(), nil)
	}
}

func (p server) GetProviderSchema(context.Context, *v5.GetProviderSchemaRequest) (*v5.GetProviderSchemaResponse, error) {
	r := &v5.GetProviderSchemaResponse{Provider: p.s.Provider.proto(),
		ResourceSchemas: map[string]*v5.Schema{}, DataSourceSchemas: map[string]*v5.Schema{}}
	for name, s := range p.s.Resources {
		r.ResourceSchemas[name] = s.proto()
	}
	for name, s := range p.s.DataSources {
		r.DataSourceSchemas[name] = s.proto()
	}
	return r, nil
}

func (p server) GetResourceIdentitySchemas(context.Context, *v5.GetResourceIdentitySchemasRequest) (*v5.GetResourceIdentitySchemasResponse, error) {
	return &v5.GetResourceIdentitySchemasResponse{}, nil
}

func (p server) PrepareProviderConfig(_ context.Context, r *v5.PrepareProviderConfigRequest) (*v5.PrepareProviderConfigResponse, error) {
	return &v5.PrepareProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (p server) ConfigureProvider(context.Context, *v5.ConfigureProviderRequest) (*v5.ConfigureProviderResponse, error) {
	return &v5.ConfigureProviderResponse{}, nil
}

func (p server) StopProvider(context.Context, *v5.StopProviderRequest) (*v5.StopProviderResponse, error) {
	return &v5.StopProviderResponse{}, nil
}

func (p server) ValidateResourceTypeConfig(context.Context, *v5.ValidateResourceTypeConfigRequest) (*v5.ValidateResourceTypeConfigResponse, error) {
	return &v5.ValidateResourceTypeConfigResponse{}, nil
}

func (p server) ValidateDataSourceConfig(context.Context, *v5.ValidateDataSourceConfigRequest) (*v5.ValidateDataSourceConfigResponse, error) {
	return &v5.ValidateDataSourceConfigResponse{}, nil
}

func (p server) UpgradeResourceState(_ context.Context, r *v5.UpgradeResourceStateRequest) (*v5.UpgradeResourceStateResponse, error) {
	kind := p.s.Resources[r.TypeName].proto().ValueType()
	value, err := r.RawState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	out, err := v5.NewDynamicValue(kind, value)
	return &v5.UpgradeResourceStateResponse{UpgradedState: &out}, err
}

func (p server) ReadResource(_ context.Context, r *v5.ReadResourceRequest) (*v5.ReadResourceResponse, error) {
	return &v5.ReadResourceResponse{NewState: r.CurrentState}, nil
}

func (p server) PlanResourceChange(_ context.Context, r *v5.PlanResourceChangeRequest) (*v5.PlanResourceChangeResponse, error) {
	s, out := p.s.Resources[r.TypeName], r.ProposedNewState
	prior, err := r.PriorState.Unmarshal(s.proto().ValueType())
	if err == nil && prior.IsNull() {
		out, err = s.transform(out, s.leaveOpen)
	}
	return &v5.PlanResourceChangeResponse{PlannedState: out, UnsafeToUseLegacyTypeSystem: true}, err
}

func (p server) ApplyResourceChange(_ context.Context, r *v5.ApplyResourceChangeRequest) (*v5.ApplyResourceChangeResponse, error) {
	s := p.s.Resources[r.TypeName]
	out, err := s.transform(r.PlannedState, p.known(r.TypeName, r.Config.MsgPack))
	return &v5.ApplyResourceChangeResponse{NewState: out, UnsafeToUseLegacyTypeSystem: true}, err
}

func (p server) ReadDataSource(_ context.Context, r *v5.ReadDataSourceRequest) (*v5.ReadDataSourceResponse, error) {
	s := p.s.DataSources[r.TypeName]
	out, err := s.transform(r.Config, s.leaveOpen)
	if err == nil {
		out, err = s.transform(out, p.known("data."+r.TypeName, r.Config.MsgPack))
	}
	return &v5.ReadDataSourceResponse{State: out}, err
}

func load(folder string) (address string, p server) {
	f, err := os.Open(filepath.Join(folder, "schema.json.gz"))
	if err != nil {
		log.Fatal(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		log.Fatal(err)
	}
	var doc struct {
		Schemas map[string]schemas `json:"provider_schemas"`
	}
	if err := json.NewDecoder(z).Decode(&doc); err != nil {
		log.Fatal(err)
	}
	values, err := os.ReadFile(filepath.Join(folder, "values.json"))
	if err == nil {
		err = json.Unmarshal(values, &p.values)
	}
	if err != nil {
		log.Fatal(err)
	}
	for name, s := range doc.Schemas {
		address, p.s = name, s
	}
	return address, p
}

func main() {
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	address, p := load(filepath.Dir(exe))
	if err := tf5server.Serve(address, func() v5.ProviderServer { return p }); err != nil {
		log.Fatal(err)
	}
}
