# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test zoo graphs check-wheel fuzz lint docs check-docs env dev clean

demo: env
	$(BIN)/mien demo demo_out

# Trains, measures and packs every model's weights: make zoo DATA=faces HOURS=12; called again, it goes on.
# Several data sets of the same people: make zoo DATA="faces more" SAME_PEOPLE=1
DATA ?= faces
SAME_PEOPLE ?=
HOURS ?= 24
zoo: env
	$(BIN)/mien synth zoo_out/studio --people 120 --size 256
	$(BIN)/mien zoo zoo_out $(addprefix --data ,$(DATA) zoo_out/studio) $(if $(SAME_PEOPLE),--same-people) --hours $(HOURS)

# The graphs that run without torch, of the weights that come with the package; whenever those are new.
USES := read embed see move tilt
graphs: dev
	$(BIN)/mien export fields -o src/mien/zoo $(addprefix --only ,$(USES))
	$(BIN)/mien export landmarks -o src/mien/zoo
	$(BIN)/mien export evaluator -o src/mien/zoo

# The wheel alone in an empty environment, without torch: its size, and how long a cold edit takes.
check-wheel: dev
	$(BIN)/python benchmarks/wheel.py

# One thread a worker: of more, each waits for the others, busily. Workers keep to files, so that set-ups are shared.
test: dev
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		echo "Chromium is missing: the page's tests are left out; on Debian, apt-get install chromium"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# Damaged files of every kind, 2,000 in at most ten minutes; what it finds is kept in fuzz/.
fuzz: dev
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/fuzz.py -o fuzz.json

lint: dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# The site, from the same Markdown that the repository shows; strictly: a warning or a broken link is an error.
docs: env $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

# What the documents say, run: the README's commands, the notebooks, figures of less than a minute, the site.
check-docs: docs
	OMP_NUM_THREADS=1 $(BIN)/python docs/check_docs.py

env: $(VENV)/installed-all
dev: $(VENV)/installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-%: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) demo_out fuzz fuzz.json wheel.json site
