"""Run: one training, from what it was given to what came of it; its figures, its checkpoints."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from hub.models import Job, Repo
from teams.names import public_id


class Run(models.Model):
    """What somebody had trained, of what. It outlives its job, and the repos that it names."""

    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="run")
    """Says how it goes; None once jobs of that age are forgotten."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    recipe = models.CharField(max_length=64)
    values = models.JSONField()
    """Its parameters, each with the value that it has here."""

    base = models.ForeignKey(
        Repo, null=True, on_delete=models.SET_NULL, related_name="runs_from_model"
    )
    base_name = models.CharField(max_length=200)
    base_commit = models.CharField(max_length=40)
    dataset = models.ForeignKey(
        Repo, null=True, on_delete=models.SET_NULL, related_name="runs_from_dataset"
    )
    dataset_name = models.CharField(max_length=200)
    dataset_commit = models.CharField(max_length=40)
    config = models.CharField(max_length=200)
    train_split = models.CharField(max_length=200)
    valid_split = models.CharField(max_length=200, blank=True)
    """Empty: rows of the other split are held back."""

    output_name = models.CharField(max_length=200)
    """The model that it is to become a commit of."""
    is_private = models.BooleanField()
    """Of a model that is made for it."""
    output = models.ForeignKey(
        Repo, null=True, on_delete=models.SET_NULL, related_name="runs_to_model"
    )
    output_commit = models.CharField(max_length=40, blank=True)
    """Empty until it is published."""
    evidence = models.JSONField(default=dict)
    """What is known of it once it has trained: the card is written from this, and nothing else."""
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["by", "-id"], name="run_by_user"),
            models.Index(fields=["base", "-id"], name="run_by_base"),
            models.Index(fields=["dataset", "-id"], name="run_by_dataset"),
            models.Index(fields=["output", "-id"], name="run_by_output"),
        ]

    def __str__(self) -> str:
        return f"run {self.public_id}"

    @property
    def public_id(self) -> str:
        """24 hex digits, as all ids are shown."""
        return public_id(self.pk)

    @property
    def url(self) -> str:
        return f"/inference/runs/{self.public_id}"

    @property
    def state(self) -> str:
        """Its job's; of one whose job is forgotten, what came of it."""
        if self.job is not None:
            return self.job.state
        return Job.State.SUCCEEDED if self.output_commit else Job.State.FAILED


class Figures(models.Model):
    """What was measured at one step. A step that is done again measures the same."""

    class Kind(models.TextChoices):
        STEP = "step"
        MEASURED = "measured"
        """On rows that are held back."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="figures")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    step = models.IntegerField()
    values = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint("run", "kind", "step", name="figures_of_a_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.step} of {self.run_id}"


class Checkpoint(models.Model):
    """All that the steps after one depend on: a blob that no repo names.

    It may be collected after the grace of such bytes; then a run begins at an earlier one.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.IntegerField()
    sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint("run", "step", name="one_checkpoint_of_a_step")]

    def __str__(self) -> str:
        return f"checkpoint {self.step} of {self.run_id}"
