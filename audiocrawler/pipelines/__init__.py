"""What happens to a downloaded file: a thin pipeline a stage, in the order in which they run."""

from audiocrawler.crawl.drops import GivenBackError
from audiocrawler.pipelines.analysis import AnalysisPipeline
from audiocrawler.pipelines.files import AudioFilesPipeline
from audiocrawler.pipelines.filters import FilterPipeline
from audiocrawler.pipelines.store import StorePipeline
from audiocrawler.pipelines.warehouse import WarehousePipeline

__all__ = [
    "AnalysisPipeline",
    "AudioFilesPipeline",
    "FilterPipeline",
    "GivenBackError",
    "StorePipeline",
    "WarehousePipeline",
]
