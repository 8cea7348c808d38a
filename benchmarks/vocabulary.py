"""The words that benchmarks/texts.py composes tasks and solutions of.

A list has one entry a line. `{name}` in an entry stands for an entry of that list: of the stack's
own, if it has one, or of the common ones; so a Rust task names Rust's files and libraries.
"""

from __future__ import annotations

from dataclasses import dataclass


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@dataclass(frozen=True)
class Solution:
    """What was done, in several ways to say the same, and why, which are different facts."""

    ways: list[str]
    reasons: list[str]

    @classmethod
    def of(cls, text: str) -> Solution:
        entries = lines(text)
        mark = "because "
        return cls(
            ways=[entry for entry in entries if not entry.startswith(mark)],
            reasons=[entry.removeprefix(mark) for entry in entries if entry.startswith(mark)],
        )


COMMON = {
    "area": lines("""
        billing
        checkout
        inventory
        warehouse picking
        user profile
        product catalogue
        appointment booking
        insurance claim
        telemetry
        video transcoding
        support ticket
        loyalty points
        gift card
        newsletter
        fleet tracking
        payroll
        time sheet
        contract signing
        lab results
        patient record
        course enrolment
        exam grading
        seat reservation
        flight status
        hotel rate
        menu planning
        recipe
        parcel tracking
        customs declaration
        tax filing
        bank statement
        fraud scoring
        loan application
        credit limit
        energy meter
        weather forecast
        irrigation
        greenhouse
        door access
        camera stream
        chat
        comment moderation
        photo album
        playlist
        podcast feed
        ad campaign
        A/B test
        feature flag
        translation memory
        spell checker
        code review
        build artifact
        licence key
        crash report
        survey
        donation
        membership
        tournament
        match scheduling
        sensor calibration
        map tile
        route planning
        address book
        calendar
        document archive
        optical character recognition
        invoice matching
        supplier rating
        purchase order
        returns and refunds
        price comparison
        currency conversion
        coupon
        shopping cart
        wish list
        review rating
        job application
        onboarding
        permission
        audit log
        single sign-on
        session
        notification
        webhook
    """),
    "part": lines("""
        service
        API
        worker
        importer
        exporter
        page
        form
        dashboard
        report
        scheduler
        cache
        queue consumer
        sync job
        nightly batch
        client library
        command-line tool
        admin screen
        event handler
        validator
        parser
        data model
        search index
        settings dialog
        list view
        state machine
        retry logic
        archive job
        mail template
        integration
        gateway
    """),
    "component": ["the {area} {part}"],
    "symptom": lines("""
        returns an empty list
        answers 500
        answers 404
        hangs for ever
        times out
        shows yesterday's data
        counts some rows twice
        drops the last row
        ignores the selected filter
        swallows the exception and reports success
        sorts numbers as text
        cuts off names after 32 characters
        loses the time zone
        rounds amounts wrongly
        shows broken umlauts
        writes to the log without end
        keeps the file locked
        opens a new connection for every call
        leaks memory
        uses a whole core while idle
        crashes with a null reference
        fails with "permission denied"
        deadlocks
        runs twice at the same time
        starts before its dependencies are ready
        sends the same message again
        mixes up the data of two customers
        rejects valid input
        accepts negative quantities
        forgets the chosen language
        overwrites newer changes
        skips every second entry
        prints a stack trace to the user
        loads for half a minute
        shows a blank screen
        cannot be cancelled
        does not notice that the server is gone
        keeps deleted entries
        stores dates in the American order
        gives up after the first failed attempt
    """),
    "circumstance": lines("""
        when two people save at the same time
        when the list is empty
        when a name contains an apostrophe
        when the upload is larger than 100 MB
        when the clocks go back
        on the last day of the month
        on 29 February
        for users without a middle name
        for accounts created before 2019
        behind the corporate proxy
        when the network drops for a second
        after the machine wakes from sleep
        after a deployment
        after the cache expires
        after the third page
        after about six hours
        on the first start
        on Windows only
        on ARM machines only
        in Safari but not in Chrome
        in production but not locally
        with more than 10,000 entries
        with an unknown currency
        with right-to-left languages
        with daylight saving time
        with an expired certificate
        with a read-only file system
        if the configuration file is missing
        if the id is given as text
        if a column has only nulls
        if the previous run was killed
        if the disk is full
        when called from several threads
        when the third-party service is down
        under load
        since the last dependency update
        since we moved to the new cluster
        as soon as a second tenant exists
        whenever the leader changes
        when the user presses the back button
    """),
    "capability": lines("""
        pagination by cursor
        full-text search
        filters that can be saved and shared
        bulk editing
        undo and redo
        an export to Excel
        an import from CSV with a preview
        an audit trail of changes
        soft deletion with a trash folder
        optimistic locking
        rate limiting by API key
        retries with exponential backoff
        a circuit breaker
        idempotency keys
        structured logging with request ids
        metrics for Prometheus
        tracing with OpenTelemetry
        a health check
        a dry-run mode
        a progress bar
        keyboard shortcuts
        dark mode
        translations into French and Polish
        email notifications
        push notifications
        a weekly digest
        two-factor confirmation
        role-based permissions
        attachments with virus scanning
        versioning of drafts
        an approval step
        comments with mentions
        time zone support
        a read-only mode for maintenance
        compression of responses
        streaming of large results
        a cache with invalidation on write
        a plugin interface
        a JSON schema for its input
        offline support
    """),
    "people": lines("""
        customers
        administrators
        guests
        support staff
        editors
        auditors
        teachers
        drivers
        warehouse staff
        nurses
        translators
        moderators
        accountants
        partners
        new users
        team leads
    """),
    "ability": lines("""
        undo their last change
        export what they see as a spreadsheet
        invite others by a link
        see who changed an entry last
        filter by several tags at once
        duplicate an existing entry
        attach files by drag and drop
        choose which columns are shown
        be reminded a day before a deadline
        subscribe to changes by email
        merge two duplicate entries
        restore a deleted entry for 30 days
        set a different currency
        print a clean version
        search by a part of the name
        approve several requests at once
        pause and resume a running job
        hand over their tasks during a holiday
        leave a private note
        compare two versions side by side
        sign in with a company account
        reorder the list by dragging
        hide finished entries
        schedule a change for later
    """),
    "cause": lines("""
        a timestamp is compared without its zone
        the transaction is committed too early
        the lock is taken in two different orders
        the result of the query is cached by the wrong key
        an exception is caught and forgotten
        the default argument is shared between calls
        the file is opened in text mode
        the index is not used because of a cast
        the connection is never given back to the pool
        the retry repeats a request that is not idempotent
        the comparison uses floating point numbers
        the list is changed while it is walked through
        the environment variable is read at import
        the event arrives before the record is written
        the join multiplies rows
        the token is refreshed by two threads
        the buffer is reused before it was sent
        the callback keeps a reference to the whole page
        the pagination has no unique sort order
        the locale of the server decides on the decimal separator
        the worker does not handle the stop signal
        the mock hides that the signature has changed
        the old column is still read by a view
        the message is acknowledged before it is processed
        the header is case sensitive behind the new proxy
        the upper bound of the range is exclusive
        the recursion has no limit
        the response is parsed before its status is checked
        the temporary file has a fixed name
        two libraries bring their own version of the same dependency
    """),
    "operation": lines("""
        opening {component}
        a full run of {component}
        the first request to {component}
        saving in {component}
        the start of {component}
        loading a month of data in {component}
        the rebuild of {component}
        the search in {component}
    """),
    "duration": lines("""
        4 seconds
        9 seconds
        half a minute
        40 seconds
        two minutes
        a quarter of an hour
        three hours
        800 ms
        a whole night
    """),
    "goal_duration": lines("""
        one second
        100 ms
        two seconds
        a tenth of that
        half of that
        a minute
        300 ms
    """),
    "scale": lines("""
        10,000 entries
        two million rows
        500 concurrent users
        a file of 3 GB
        a year of history
        40 tenants
        a thousand messages a second
        deeply nested folders
        a cold cache
        a slow disk
    """),
    "suspicion": lines("""
        I suspect the database
        a profile points at serialisation
        most of the time seems to be spent waiting
        it was fine in the previous release
        the same query runs many times
        nothing is cached so far
        memory grows at the same time
        it only uses one core
    """),
    "constraint": lines("""
        Do not change the public interface.
        Keep backward compatibility with the current clients.
        No new dependencies, please.
        Add tests for the edge cases.
        Write a regression test first.
        Existing tests must stay green.
        It must work without downtime.
        Keep the change small, it goes into a patch release.
        Update the documentation as well.
        Add an entry to the changelog.
        Explain the reason in the commit message.
        Put it behind a feature flag.
        The migration must be reversible.
        Do not touch generated files.
        Follow the style of the neighbouring modules.
        It has to run on our smallest machine with 1 GB of memory.
        Please show the numbers before and after.
        Do not log personal data.
        The old behaviour must remain the default.
        Stop and ask if the schema has to change.
        Use what the standard library has.
        Errors must tell the user what to do next.
        Measure first, then optimise.
        Leave the database schema as it is.
        It must be safe to run twice.
        The deadline is the release on Friday, so prefer the simple solution.
        All texts shown to users must be translatable.
        Clean up the temporary files afterwards.
        Make sure that it can be rolled back.
        Only {people} may be able to use it.
    """),
    "context": lines("""
        {People} complained about it this week.
        It happens {circumstance}.
        Somebody thinks that {cause}.
        Probably {cause}.
        The relevant code is in {file}.
        Start with {file}.
        {Component} has the same problem.
        It works in {component}, which can serve as an example.
        We noticed it in {component} {circumstance}.
        {Component} depends on it.
        A failing test is in {test_file}.
        We use {library} for this.
        The first attempt with {library} was reverted because {cause}.
        The person who wrote it has left, and there is no documentation.
        It blocks the work on {component}.
        This was reported by {people}, who cannot {ability} at the moment.
        It should work with {scale}.
        The staging system shows it too, {circumstance}.
    """),
    "refactoring": lines("""
        Split {file} into smaller modules
        Extract the duplicated code of {component} and {component} into one place
        Replace the global state in {file} by an explicit context object
        Replace the inheritance in {file} by composition
        Rename the confusing concepts in {component} and make them the same everywhere
        Remove dead code from {component}
        Separate reading from calculating in {file}
        Move the business rules of {component} out of the user interface
        Turn the long chain of conditions in {file} into a table
        Put an interface between {component} and the database
        Make the dependencies of {component} explicit instead of looking them up
        Replace error codes by proper error types in {file}
        Make {file} free of side effects at import
        Replace magic numbers and strings in {component} by named constants
    """),
    "test_case": lines("""
        empty input
        two users at once
        a full disk
        a time-out in the middle
        unicode names
        the end of daylight saving time
        very large numbers
        a missing permission
        duplicate keys
        an interrupted run
        malformed JSON
        leap years
        a lost connection
        rounding
        nested transactions
        an expired token
        zero quantities
        repeated delivery
    """),
    "test_kind": lines("""
        unit tests
        integration tests
        property-based tests
        regression tests
        contract tests
        end-to-end tests
        load tests
        snapshot tests
        fuzz tests
    """),
    "document": lines("""
        a README with a quick start
        a runbook for being on call
        an architecture overview with a diagram
        a migration guide for the next major version
        a tutorial with a complete example
        a reference of all settings
        a troubleshooting page
        a decision record
        an onboarding guide
        API documentation with examples
    """),
    "threat": lines("""
        SQL injection
        cross-site scripting
        cross-site request forgery
        path traversal
        server-side request forgery
        mass assignment
        insecure direct object references
        unsafe deserialisation
        timing attacks on the token check
        open redirects
        brute-force attempts
        leaking secrets into logs
        privilege escalation
        a denial of service by huge inputs
        session fixation
    """),
    "infrastructure": lines("""
        Write a Dockerfile with a multi-stage build for {component}
        Deploy {component} to Kubernetes with three replicas and health probes
        Write a Helm chart for {component}
        Set up blue-green deployment for {component}
        Move the secrets of {component} into Vault
        Put {component} behind nginx with TLS and compression
        Create the queue, the bucket and the roles for {component} in Terraform
        Scale {component} by the length of its queue
        Alert when {component} {symptom}
        Rotate the logs of {component} and ship them to Loki
        Run {component} as a systemd unit that restarts after failures
        Back up the data of {component} every night and test the restore
        Draw a Grafana dashboard with rate, errors and latency of {component}
        Cache the dependencies in the pipeline of {component}
        Run the tests of {component} in parallel on CI
        Publish {component} automatically when a tag is pushed
        Give {component} a staging environment with anonymised data
        Limit memory and CPU of {component} by what it really uses
    """),
    "data_task": lines("""
        Write a query for the ten {area} entries with the highest growth over the last quarter
        Backfill the missing days of the {area} table
        Deduplicate the {area} records, which occur with different spellings
        Partition the {area} table by month and drop partitions older than two years
        Model the {area} events as an incremental fact table with tests
        Reconcile the {area} totals with the ledger and list the differences
        Convert the {area} exports from CSV to Parquet with proper types
        Detect outliers in the {area} data and put them aside with a reason
        Build a monthly report on {area} by country and channel
        Move the {area} data from MySQL to PostgreSQL without downtime
        Find the slow query of {component} and add the index that it needs
        Anonymise the {area} data for the test system
        Split the {area} name column into first and last name
        Stream the {area} events from Kafka into the warehouse
        Track the history of {area} entries with valid-from and valid-to dates
        Forecast {area} volumes for the next eight weeks and report the error
        Train a classifier on the {area} texts and compare it with the present rules
        Cluster the {area} entries and give each cluster a readable name
    """),
    "question": lines("""
        Find out why {component} {symptom} {circumstance}, and write down what you found
        Explain how {component} works and where its data comes from
        Which commits since the last release could explain that {component} {symptom}?
        Compare {library} with what we have in {component} and recommend one
        Estimate what it would take to give {component} {capability}
        Review {file} for mistakes in error handling
        Check whether {component} really needs {library}
        Reproduce the bug by which {component} {symptom} {circumstance}, as a failing test
        Reconstruct from the logs what {component} did {circumstance}
    """),
    "task": lines("""
        Fix {component}: it {symptom} {circumstance}.
        {Component} {symptom} {circumstance}. Find the cause and fix it.
        {Component} {symptom} {circumstance}; it seems that {cause}.
        bug: {area} {part} {symptom} {circumstance}
        {Circumstance}, {component} {symptom}. Please repair that.
        It looks as if {cause} in {component}. Fix that, and look for the same mistake elsewhere.
        Add {capability} to {component}.
        Implement {capability} for {component}, like the one in {component}.
        {Component} needs {capability}, because it {symptom} {circumstance}.
        Let {people} {ability} in {component}.
        As one of the {people} I want to {ability}, so that {component} saves me time.
        {People} should be able to {ability} in {component} without asking {people}.
        {Operation} takes {duration} with {scale}. Get it below {goal_duration}.
        Speed up {operation}: {duration} with {scale} is too slow, {suspicion}.
        {Component} gets slow with {scale}; {suspicion}. Profile it and remove the bottleneck.
        {refactoring}.
        {refactoring}, so that it can be tested.
        {refactoring}; {cause}, and nobody noticed.
        Write {test_kind} for {component}, in particular for {test_case} and {test_case}.
        The test of {component} for {test_case} fails about once in twenty runs. Make it stable.
        Cover {file} with {test_kind}; {test_case} and {test_case} are not tested at all.
        Mock the calls of {component} to {component} in the {test_kind}.
        Write {document} for {component}.
        Write {document} about {component} for {people}, including {test_case}.
        Check {component} for {threat} and close what you find.
        Protect {component} against {threat}, and prove it with {test_kind}.
        A scan found {threat} in {file}. Fix it without breaking {component}.
        {infrastructure}.
        {infrastructure}; it {symptom} {circumstance}.
        {data_task}.
        {data_task}. {Scale} have to be handled.
        {question}.
        Replace {library} in {component} by {library}.
        Upgrade {library} to the current major version and repair what breaks in {component}.
        {Stack_task}.
        {Stack_task}.
        {Stack_task} in {component}.
        {Stack_task}; {component} {symptom} {circumstance}.
        {Stack_task}, starting with {file}.
    """),
}

FOLDERS = ("src", "app", "lib", "core", "internal", "modules", "services", "legacy")
NAMES = lines("""
    client
    handlers
    models
    utils
    parser
    scheduler
    retry
    storage
    auth
    session
    importer
    exporter
    worker
    queue
    mailer
    pricing
    rounding
    calendar
    geometry
    search
    ranking
    cache
    config
    router
    schema
    events
    metrics
    permissions
    templates
    sync
""")


def files(ending: str, test: str) -> dict[str, list[str]]:
    """File names of a language: `ending` is its extension, `test` how it names a test's file."""
    return {
        "file": [f"{folder}/{name}.{ending}" for folder in FOLDERS for name in NAMES],
        "test_file": [test.format(name) for name in NAMES],
    }


STACKS = {
    "python": {
        **files("py", "tests/test_{}.py"),
        "library": lines("""
            Django
            FastAPI
            SQLAlchemy
            pandas
            Polars
            Celery
            pydantic
            httpx
            pytest
            Alembic
            NumPy
            boto3
        """),
        "stack_task": lines("""
            port the views to async without blocking calls
            add type annotations until mypy --strict passes
            replace setup.py by pyproject.toml and uv
            move from Python 3.9 to 3.13 and drop distutils
            replace the pandas loops by vectorised operations
            resolve the conflict between two pinned versions of urllib3
            merge the two Alembic heads
            replace print by structured logging
            get rid of the circular import
            package the project as a wheel with its data files
        """),
    },
    "typescript": {
        **files("ts", "test/{}.spec.ts"),
        "library": lines("""
            React
            Next.js
            Express
            NestJS
            Prisma
            Zod
            Vite
            Jest
            Playwright
            TanStack Query
            Redux Toolkit
            Tailwind CSS
        """),
        "stack_task": lines("""
            convert the class components to function components with hooks
            turn on strict null checks and fix what the compiler reports
            migrate from webpack to Vite
            convert the package from CommonJS to ES modules
            stop the endless loop of effects that floods the API
            virtualise the table so that ten thousand rows scroll smoothly
            generate the API client from the OpenAPI description
            split the bundle by route and load the rest lazily
            replace the deprecated date library
            make the form accessible by keyboard and screen reader
        """),
    },
    "go": {
        **files("go", "internal/{}_test.go"),
        "library": lines("""
            chi
            gRPC
            pgx
            sqlc
            zap
            cobra
            testify
            sarama
            the OpenTelemetry SDK
        """),
        "stack_task": lines("""
            pass the context through all layers and honour its cancellation
            fix the data race that the race detector reports
            stop the goroutines that leak when a client hangs up
            wrap errors so that callers can tell them apart
            generate gRPC stubs and a gateway from the protobuf schema
            reduce allocations in the hot loop
            replace the hand-written mocks by small fakes
            shut the server down gracefully within ten seconds
        """),
    },
    "rust": {
        **files("rs", "tests/{}.rs"),
        "library": lines("""
            tokio
            axum
            serde
            sqlx
            rayon
            clap
            tracing
            reqwest
            PyO3
        """),
        "stack_task": lines("""
            replace unwrap by typed errors
            satisfy the borrow checker without cloning the buffer
            make the parser work without allocations
            expose the library to Python with PyO3
            replace the mutex by message passing
            reduce compile times by splitting the crate
            fuzz the decoder and fix the panics
            port the unsafe code to safe slices
        """),
    },
    "java": {
        **files("java", "src/test/java/{}Test.java"),
        "library": lines("""
            Spring Boot
            Hibernate
            Jackson
            Flyway
            Kafka Streams
            JUnit 5
            Testcontainers
            MapStruct
            Micrometer
        """),
        "stack_task": lines("""
            migrate from javax to jakarta packages
            fix the lazy loading exception when the template is rendered
            tune the garbage collector against pauses of several seconds
            replace field injection by constructor injection
            convert the Maven build to Gradle with a version catalogue
            use virtual threads for blocking calls
            replace the XML configuration by annotations
            find the class loader leak after redeployment
        """),
    },
    "csharp": {
        **files("cs", "Tests/{}Tests.cs"),
        "library": lines("""
            ASP.NET Core
            Entity Framework
            Serilog
            MediatR
            xUnit
            Polly
            Dapper
            Blazor
        """),
        "stack_task": lines("""
            port the project from .NET Framework 4.8 to .NET 9
            replace blocking waits on tasks by async all the way
            turn on nullable reference types
            replace stored procedures by queries in code
            dispose of the streams that stay open
            publish as a single trimmed executable
        """),
    },
    "cpp": {
        **files("cpp", "tests/{}_test.cpp"),
        "library": lines("""
            Boost.Asio
            Qt
            Eigen
            OpenCV
            fmt
            GoogleTest
            protobuf
            Conan
            CUDA
        """),
        "stack_task": lines("""
            port the Makefiles to CMake with presets
            fix the use after free that the address sanitizer reports
            replace raw pointers by smart pointers
            make it compile with GCC 14 without warnings
            write the inner loop with SIMD intrinsics and a scalar fallback
            fix the order of linking that leaves undefined symbols
            build the CUDA extension with the current toolkit
            cross-compile for ARM in a container
        """),
    },
    "embedded": {
        **files("c", "test/test_{}.c"),
        "library": lines("""
            FreeRTOS
            Zephyr
            lwIP
            mbedTLS
            LVGL
            TinyUSB
            the vendor's HAL
        """),
        "stack_task": lines("""
            add a time-out to the I2C driver and recover the bus
            reduce the power drawn in sleep mode
            update the firmware over the air with a fallback image
            move the interrupt's work into a task
            make the image fit into 256 kB of flash
            fix the stack overflow in the logging task
            debounce the button without blocking
            store settings so that they survive a power cut
        """),
    },
    "ruby": {
        **files("rb", "spec/{}_spec.rb"),
        "library": lines("""
            Rails
            Sidekiq
            Devise
            RSpec
            Hotwire
            ActiveAdmin
            Pundit
        """),
        "stack_task": lines("""
            upgrade Rails step by step to the current version
            remove the queries in loops by preloading
            replace callbacks by explicit service objects
            make the background jobs safe to retry
            switch to Zeitwerk autoloading
            replace factories that create half the database
        """),
    },
    "php": {
        **files("php", "tests/{}Test.php"),
        "library": lines("""
            Laravel
            Symfony
            Doctrine
            PHPUnit
            WooCommerce
            Twig
        """),
        "stack_task": lines("""
            make the plugin run on PHP 8.4
            replace mysql_query by prepared statements
            raise PHPStan to level 8
            move the cron scripts to queued jobs
            replace the home-made router by the framework's
            put the templates under automatic escaping
        """),
    },
    "mobile": {
        **files("kt", "app/src/test/{}Test.kt"),
        "library": lines("""
            Jetpack Compose
            SwiftUI
            Flutter
            React Native
            Room
            Firebase
            Retrofit
            Core Data
        """),
        "stack_task": lines("""
            survive the rotation of the screen during a download
            sync offline changes when there is a network again
            replace the XML layouts by Compose
            ask for the location permission only when it is needed
            shrink the app by half
            open deep links in the right screen
            support large fonts and screen readers
            stop draining the battery in the background
        """),
    },
    "data": {
        **files("sql", "tests/assert_{}.sql"),
        "refactoring": lines("""
            Split the query in {file} into named steps
            Give {component} a staging layer of its own
            Replace the copied conditions in {file} by a macro
            Compute the metric of {component} in one place instead of four
            Name the columns of {component} the same in all models
            Move the business rules of {component} from the dashboard into SQL
            Remove models of {component} that nobody reads
        """),
        "library": lines("""
            dbt
            DuckDB
            Airflow
            Spark
            BigQuery
            Snowflake
            Great Expectations
            Superset
        """),
        "stack_task": lines("""
            make the model incremental with late rows in mind
            add tests for unique and non-null keys
            replace the correlated subquery by a window function
            orchestrate the daily load with retries and backfills
            cut the cost of the query that scans everything
            document every column and its unit
            snapshot slowly changing attributes
            replace the spreadsheet by a tested model
        """),
    },
    "learning": {
        **files("py", "tests/test_{}.py"),
        "library": lines("""
            PyTorch
            scikit-learn
            XGBoost
            Hugging Face Transformers
            ONNX Runtime
            MLflow
            vLLM
            Weights & Biases
        """),
        "stack_task": lines("""
            resume training from the last checkpoint after a crash
            use mixed precision, as the GPU runs out of memory
            split the data by customer, so that nothing leaks into validation
            export the model and check that the outputs agree
            fine-tune a small language model with LoRA
            calibrate the predicted probabilities
            explain single predictions to people who are not experts
            shard the linear layers over several GPUs
            serve the model with batching of requests
            quantise the model to eight bits without losing accuracy
        """),
    },
    "platform": {
        **files("yaml", "policies/{}_test.rego"),
        "refactoring": lines("""
            Turn the copied manifests of {component} into one template with values
            Split {file} by environment
            Remove unused variables and resources of {component}
            Move the settings of {component} from the image into its environment
            Replace the shell steps in {file} by a reusable action
            Give the resources of {component} consistent names and tags
        """),
        "library": lines("""
            Terraform
            Helm
            Argo CD
            Prometheus
            GitHub Actions
            Ansible
            nginx
            Vault
            Istio
        """),
        "stack_task": lines("""
            move the pipeline from Jenkins to GitHub Actions
            build images for amd64 and arm64
            drain the pods before they are stopped
            keep Terraform from recreating the database
            renew the certificates automatically
            run the containers without root
            rewrite the deploy script so that it stops at the first error
            purge the large file from the git history
            rebase the long-lived branch and resolve its conflicts
            restrict traffic between namespaces
        """),
    },
}

SOLUTIONS = [
    Solution.of(one)
    for one in (
        """
        added an index on the columns that the query filters by
        created an index over the columns which the query filters by
        put an index on the query's filter columns
        because the query scanned the whole table
        because the report sorted two million rows
        because the planner fell back to a sequential scan
        """,
        """
        replaced the loop of single queries by one query with a join
        turned the single queries in a loop into one joined query
        used one query with a join instead of a loop of single queries
        because the page made one query per row
        because latency grew with the number of entries
        """,
        """
        retried the call with exponential backoff and jitter
        added retries with exponential backoff and jitter to the call
        made the call retry, with jitter and exponential backoff
        because the service behind it drops connections now and then
        because single time-outs made whole runs fail
        """,
        """
        took the locks in one fixed order
        made the code take its locks in one fixed order
        ordered the locks, which are now always taken in the same order
        because two transactions waited for each other
        because parallel imports ended in a deadlock
        """,
        """
        moved the slow work into a background job
        put the slow work into a job in the background
        did the slow work in a background job instead
        because the request waited for an email to be sent
        because users looked at a spinner for half a minute
        """,
        """
        invalidated the cache entry on every write
        made every write invalidate its cache entry
        dropped the entry from the cache whenever it is written
        because changes were only visible after an hour
        because the old price was still shown after an update
        """,
        """
        passed times with their zone everywhere
        made all times carry their zone
        stored and passed every time together with its zone
        because reports were a day off west of Greenwich
        because the run happened twice when the clocks went back
        """,
        """
        switched the amounts from floats to decimals
        used decimals in place of floats for the amounts
        replaced floats by decimals for all amounts
        because totals differed from the ledger by a few cents
        because rounding errors added up over a month
        """,
        """
        streamed the file instead of loading it whole
        read the file as a stream rather than loading all of it
        processed the file in a streaming way, no longer loading it whole
        because exports of several gigabytes ran out of memory
        because the process was killed with large uploads
        """,
        """
        gave the connection back to the pool in every case
        returned the connection to the pool in all cases, errors included
        made sure that the connection always goes back to the pool
        because the pool was exhausted after a few hours
        because errors left connections open
        """,
        """
        froze the clock in the tests
        used a frozen clock in the tests
        made the tests run with a frozen clock
        because the tests failed around midnight
        because the tests depended on the day of the year
        """,
        """
        isolated the tests by rolling back a transaction after each
        wrapped each test in a transaction that is rolled back
        rolled back a transaction after every test, so that tests are isolated
        because tests passed alone and failed together
        because leftover rows of one test broke the next
        """,
        """
        pinned the dependency to the last version that works
        pinned the last working version of the dependency
        fixed the dependency at its last version that works
        because the newest release changed its defaults
        because a patch release removed a function that we call
        """,
        """
        escaped the user's input before rendering it
        made rendering escape what users have typed in
        escaped input of users when it is rendered
        because a comment could carry a script
        because names with angle brackets broke the page
        """,
        """
        bound the values as parameters of the statement
        used bound parameters instead of pasting values into the statement
        passed the values as bound parameters to the statement
        because a quote in the search field broke the query
        because the search field was open to injection
        """,
        """
        checked the permission on the server for each object
        added a permission check for each object on the server
        made the server check permissions object by object
        because an editor could delete what belongs to another team
        because the button was hidden but the route was open
        """,
        """
        split the class into four modules by responsibility
        divided the class into four modules, each with one responsibility
        broke the class up into four modules by their responsibilities
        because nobody could change one thing without breaking another
        because it had 3,000 lines and no tests
        """,
        """
        extracted the duplicated code into one decorator
        put the duplicated code into a single decorator
        made one decorator of the code that was duplicated
        because the same retry loop was copied into seven clients
        because a fix was made in one copy and forgotten in the others
        """,
        """
        rendered only the visible rows of the table
        made the table render just the rows that are visible
        restricted rendering to the table's visible rows
        because scrolling froze with ten thousand entries
        because the browser ran out of memory on long lists
        """,
        """
        loaded the images lazily and in modern formats
        used lazy loading and modern formats for the images
        switched images to lazy loading and modern formats
        because the first view took nine seconds on a phone
        because most of the traffic was for pictures nobody scrolled to
        """,
        """
        added a multi-stage build and a slim base image
        used a slim base image with a build in several stages
        switched to a multi-stage build on a slim base image
        because the image had two gigabytes
        because pulling the image took longer than the tests
        """,
        """
        handled the stop signal and finished running requests first
        finished running requests on the stop signal, which is handled now
        made the process handle the stop signal by finishing its requests first
        because deployments cut off running requests
        because the orchestrator killed it after ten seconds
        """,
        """
        set memory requests and limits from measured usage
        used the measured usage to set memory requests and limits
        set the memory's requests and limits by what was measured
        because pods were killed at night for lack of memory
        because one noisy neighbour starved the others
        """,
        """
        acknowledged messages only after they were processed
        moved the acknowledgement of messages after their processing
        made messages be acknowledged once they are processed, not before
        because jobs were lost when a worker was killed
        because a crash in the middle left work undone
        """,
        """
        stored the idempotency key with the first response
        kept the first response together with its idempotency key
        saved the first response under the idempotency key
        because customers were charged twice after a time-out
        because clients repeat requests that seem to have failed
        """,
        """
        put messages that failed five times into a dead-letter queue
        sent messages to a dead-letter queue after five failures
        moved messages into a dead-letter queue once they had failed five times
        because one broken message blocked all behind it
        because the consumer restarted for ever on the same message
        """,
        """
        added the unique id as the last sort key
        made the sort order unique by adding the id at its end
        used the unique id as the final key of the sort order
        because entries appeared on two pages
        because the order of equal scores was random
        """,
        """
        rewrote the regular expression without nested repetition
        removed nested repetition from the regular expression
        made the regular expression do without nested repetition
        because a crafted address froze the server
        because validation took exponential time
        """,
        """
        declared the encoding explicitly as UTF-8
        made the encoding explicitly UTF-8
        set UTF-8 explicitly as the encoding
        because umlauts were broken on other machines
        because files were read in the locale of the server
        """,
        """
        wrote to a temporary file and renamed it at the end
        used a temporary file that is renamed at the end
        made it write a temporary file first and rename that when done
        because readers saw half-written files
        because a crash left a truncated file behind
        """,
        """
        backfilled the new column in batches before switching reads
        filled the new column in batches, then switched the reads to it
        switched reads only after the new column was backfilled in batches
        because the table could not be locked for an hour
        because users must not notice the change of schema
        """,
        """
        partitioned the table by month
        split the table into monthly partitions
        made the table partitioned by months
        because old data could not be deleted quickly
        because queries read years that nobody asked for
        """,
        """
        grouped the split of the data by customer
        split the data into groups by customer
        made the split of the data respect customers as groups
        because the same customers were in both halves
        because the measured accuracy was too good to be true
        """,
        """
        used mixed precision and gradient checkpointing
        switched to mixed precision with gradient checkpointing
        enabled gradient checkpointing and mixed precision
        because the GPU ran out of memory
        because only a batch of four fitted on the card
        """,
        """
        replaced raw pointers by owning smart pointers
        turned the raw pointers into smart pointers that own
        used owning smart pointers in place of raw ones
        because memory was freed twice
        because ownership was unclear and leaked on errors
        """,
        """
        guarded the shared map with a mutex
        protected the map, which is shared, by a mutex
        put a mutex around the shared map
        because two threads wrote to it at the same time
        because the race detector reported a data race
        """,
        """
        cancelled the children through the request's context
        used the request's context to cancel its children
        let the request's context cancel all children
        because work went on after the client had hung up
        because the number of running tasks grew without end
        """,
        """
        returned typed errors instead of panicking
        made it return typed errors where it panicked
        replaced the panics by typed errors
        because bad input took the whole server down
        because the caller could not tell what went wrong
        """,
        """
        moved the secret into the vault and rotated it
        rotated the secret and put it into the vault
        stored the secret in the vault after rotating it
        because the key was committed to the repository
        because everybody with access to the code could read it
        """,
        """
        validated the configuration at start
        added a validation of the configuration at start
        made the start validate its configuration
        because a typo was only noticed hours after the start
        because a missing variable led to strange errors much later
        """,
        """
        checked the free space before starting
        added a check of free space before the start
        made it look at the free space before it starts
        because the run failed half way on a full disk
        because partial results filled the volume
        """,
        """
        vectorised the calculation over whole arrays
        rewrote the calculation to work on whole arrays
        turned the calculation into operations on whole arrays
        because a million rows took several minutes
        because the interpreter spent its time in the loop
        """,
        """
        resolved the merge by keeping both migrations in one order
        kept both migrations, in one order, to resolve the merge
        merged by putting the two migrations into one order
        because two branches had changed the schema independently
        because the tool found two heads after the merge
        """,
        """
        updated the calls to the library's new interface
        moved the calls over to the new interface of the library
        adapted all calls to the new interface of the library
        because the old functions are gone in the new major version
        because deprecation warnings became errors
        """,
    )
]


EVIDENCE = [
    lines(one)
    for one in (
        """
        all tests pass
        the tests are green
        every test passes
        """,
        """
        a regression test covers it
        it is covered by a regression test
        covered by a new regression test
        """,
        """
        it takes a tenth of the time
        it is ten times faster
        only a tenth of the time is needed now
        """,
        """
        memory stays flat over a day
        memory is constant for a whole day
        over a day memory no longer grows
        """,
        """
        no failures in 200 runs
        200 runs without a failure
        it ran 200 times without failing
        """,
        """
        confirmed on staging
        staging confirms it
        verified on the staging system
        """,
    )
]
"""How one knows that it works, each in words that mean the same."""

CONJUNCTIONS = ("because", "since", "as")
