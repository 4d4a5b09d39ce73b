// Protogen compiles the project's .proto files to Go without protoc: it parses
// them with protocompile and hands them to the protoc-gen-go of go.mod.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// generate writes the Go of every .proto below root beside its source.
func generate(root string) error {
	files, err := filepath.Glob(filepath.Join(root, "zflow", "*", "*.proto"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("finding .proto files in %s: %d found, %v", root, len(files), err)
	}
	for i := range files {
		if files[i], err = filepath.Rel(root, files[i]); err != nil {
			return err
		}
	}
	sort.Strings(files)
	answer, err := compile(root, files)
	if err != nil {
		return err
	}
	for _, f := range answer.File {
		to := filepath.Join(root, "zflow", "v1", filepath.Base(f.GetName()))
		if err := os.WriteFile(to, []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func compile(root string, files []string) (*pluginpb.CodeGeneratorResponse, error) {
	c := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{root}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	parsed, err := c.Compile(context.Background(), files...)
	if err != nil {
		return nil, err
	}
	req := &pluginpb.CodeGeneratorRequest{FileToGenerate: files}
	for _, f := range parsed {
		req.ProtoFile = append(req.ProtoFile, protodesc.ToFileDescriptorProto(f))
	}
	return runPlugin(req)
}

func runPlugin(req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.Marshal(req)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "tool", "protoc-gen-go")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running protoc-gen-go: %w", err)
	}
	answer := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out, answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("protoc-gen-go: %s", answer.GetError())
	}
	return answer, nil
}
