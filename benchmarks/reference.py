"""What our speed is measured against: the tutorials' loop, and the fastest recipe published.

Both are written out here as their authors write them, networks included, with nothing of ours.
"""

import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from core.config import TrainConfig
from core.data import mnist

NETWORKS = {
    "simple_cnn": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(0.4), nn.Linear(128, 10)),
    ),
    "digit_cnn": lambda: nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(2000, 500), nn.ReLU(), nn.Linear(500, 10)),
    ),
    "mlp": lambda: nn.Sequential(
        *(nn.Flatten(), nn.Linear(784, 300), nn.BatchNorm1d(300), nn.ReLU()),
        *(nn.Linear(300, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Linear(100, 10)),
    ),
    "pytorch_example": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(128, 10),
    ),
}
OPTIMIZERS = {
    "simple_cnn": lambda parameters: torch.optim.Adam(parameters, 1e-3, weight_decay=1e-4),
    "digit_cnn": lambda parameters: torch.optim.Adam(parameters, 1e-3),
    "mlp": lambda parameters: torch.optim.SGD(parameters, 0.01, momentum=0.9),
    "pytorch_example": lambda parameters: torch.optim.Adadelta(parameters, 1.0),
}


class Tutorial:
    """A tutorial's training: `DataLoader`, `ToTensor` and `Normalize` per image, float32.

    Batch size, optimizer and network are the tutorial's; the loader has no worker processes, which
    is PyTorch's default.
    """

    def __init__(self, config: TrainConfig) -> None:
        """Take network, batch size, normalization and seed from a recipe's configuration."""
        from torchvision import datasets, transforms  # takes 2 s, and tests need the networks alone

        torch.manual_seed(config.seed)
        transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((config.mean,), (config.std,))]
        )

        def loader(train: bool) -> DataLoader[tuple[Tensor, Tensor]]:
            digits = datasets.MNIST(str(mnist.directory()), train=train, transform=transform)
            return DataLoader(digits, config.batch_size, shuffle=train)

        self.training, self.test = loader(True), loader(False)
        self.model = NETWORKS[config.network]()
        self.optimizer = OPTIMIZERS[config.network](self.model.parameters())

    def epoch(self) -> float:
        """Train for one epoch of 60,000 images; return the seconds."""
        begin = time.perf_counter()
        self.model.train()
        total = 0.0
        for images, labels in self.training:
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return time.perf_counter() - begin

    def accuracy(self) -> float:
        """Return the accuracy on the test set, in [0, 1]."""
        self.model.eval()
        with torch.inference_mode():
            right = sum(
                int((self.model(images).argmax(1) == labels).sum()) for images, labels in self.test
            )
        return right / 10_000


def train_mnist_fast(seed: int) -> tuple[float, float]:
    """Train the fastest published recipe for 99 %; return its seconds and test accuracy.

    It is tuomaso/train_mnist_fast: one epoch of 60,000 images from one tensor, Adam with one-cycle,
    float32.
    """
    digits = mnist.load("mnist")
    torch.manual_seed(seed)

    def prepared(images: object) -> Tensor:
        return (torch.tensor(images)[:, None].float() / 255 - 0.1307) / 0.3081

    images, labels = prepared(digits.train_images), torch.tensor(digits.train_labels).long()
    model = nn.Sequential(
        *(nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10)),
    )
    begin = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2, betas=(0.7, 0.9))
    batches = torch.randperm(60_000).split(256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1e-2, total_steps=len(batches), cycle_momentum=False
    )
    for chosen in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()
        schedule.step()
    seconds = time.perf_counter() - begin
    model.eval()
    with torch.inference_mode():
        answers = model(prepared(digits.test_images)).argmax(1)
    return seconds, float((answers == torch.tensor(digits.test_labels)).float().mean())
