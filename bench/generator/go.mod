module generator

go 1.24
